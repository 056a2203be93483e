package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tuning:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("tuning", flag.ContinueOnError)
	only := flags.String("knob", "", "only values whose name matches this regular expression")
	rounds := flags.Int("rounds", 5, "rounds; their median counts")
	duration := flags.Duration("duration", 300*time.Millisecond, "of each measurement")
	margin := flags.Float64("margin", 0.1, "by how much another value must be better to count")
	if err := flags.Parse(args); err != nil {
		return err
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if *rounds < 1 {
		return errors.New("-rounds: at least 1")
	}
	variants, clean, err := buildAll(ctx, match)
	if err != nil {
		return err
	}
	defer clean()
	results := make([][]micros, len(variants))
	for round := range *rounds {
		for i, v := range variants {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, *rounds, v.name)
			m, err := measure(ctx, v, *duration)
			if err != nil {
				return err
			}
			results[i] = append(results[i], m)
		}
	}
	return report(variants, results, *margin)
}

// buildAll builds the shipped values, and then each other one that matches.
func buildAll(ctx context.Context, match *regexp.Regexp) (all []variant, clean func(), err error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "tuning")
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	v, err := build(ctx, root, dir, nil, other{})
	if err != nil {
		return nil, nil, err
	}
	all = append(all, v)
	for _, k := range knobs {
		for _, o := range k.others {
			if !match.MatchString(k.name) {
				continue
			}
			if v, err = build(ctx, root, dir, &k, o); err != nil {
				return nil, nil, err
			}
			all = append(all, v)
		}
	}
	return all, func() { os.RemoveAll(dir) }, nil
}

// report prints the ratios, and names the values that beat the shipped ones.
func report(variants []variant, results [][]micros, margin float64) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "time over that of the shipped value\ttogether\tleast\tmost")
	var better error
	for i, v := range variants[1:] {
		r := ratios(results[0], results[i+1])
		together := r.together()
		by := func(a, b string) int { return cmp.Compare(r[a], r[b]) }
		what := slices.SortedFunc(maps.Keys(r), by)
		least, most := what[0], what[len(what)-1]
		fmt.Fprintf(w, "%s\t%.2f\t%.2f %s\t%.2f %s\n", v.name, together, r[least], least, r[most], most)
		if together < 1-margin {
			better = errors.Join(better, fmt.Errorf("%s beats the shipped value", v.name))
		}
	}
	return errors.Join(w.Flush(), better)
}
