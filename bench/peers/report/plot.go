package report

import (
	"errors"
	"image/color"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/actorgrid/actorgrid/bench/peers/peer"
	"github.com/actorgrid/actorgrid/bench/peers/result"
)

// Plots writes an SVG file for each table into dir: a bar for each row's median, and
// a line from its smallest to its largest round.
func Plots(dir string, tables []*result.Table) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var errs []error
	for _, t := range tables {
		errs = append(errs, bars(filepath.Join(dir, strings.ReplaceAll(t.Shape, "/", "-")+".svg"), t))
	}
	return errors.Join(errs...)
}

var colors = map[peer.Role]color.Color{
	peer.Subject:   color.RGBA{R: 0x1b, G: 0x7f, B: 0x5c, A: 0xff},
	peer.Floor:     color.RGBA{R: 0x99, G: 0x99, B: 0x99, A: 0xff},
	peer.Reference: color.RGBA{R: 0xd9, G: 0x8e, B: 0x2b, A: 0xff},
	peer.Library:   color.RGBA{R: 0x3b, G: 0x6e, B: 0xa8, A: 0xff},
}

func bars(path string, t *result.Table) error {
	p := plot.New()
	p.Title.Text = t.Title
	p.X.Label.Text, p.X.Min = string(t.Unit), 0
	var names []string
	for _, row := range t.Rows {
		if !row.Median(result.Value).Known() {
			continue
		}
		if err := addBar(p, row, len(names)); err != nil {
			return err
		}
		names = append(names, label(row)+" "+result.Format(row.Median(result.Value)))
	}
	if len(names) == 0 {
		return nil
	}
	p.NominalY(names...)
	return p.Save(24*vg.Centimeter, vg.Length(len(names)+3)*0.9*vg.Centimeter, path)
}

// addBar draws one row; the first is at the bottom.
func addBar(p *plot.Plot, row *result.Row, at int) error {
	bar, err := plotter.NewBarChart(plotter.Values{float64(row.Median(result.Value))}, 0.5*vg.Centimeter)
	if err != nil {
		return err
	}
	bar.Horizontal, bar.XMin, bar.Color = true, float64(at), colors[row.Role]
	bar.LineStyle.Width = 0
	lowest, highest := row.Range(result.Value)
	line, err := plotter.NewLine(plotter.XYs{{X: float64(lowest), Y: float64(at)}, {X: float64(highest), Y: float64(at)}})
	if err != nil {
		return err
	}
	p.Add(bar, line)
	return nil
}
