package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A variant is the benchmark with at most one value replaced.
type variant struct {
	name   string
	binary string
}

// build makes the benchmark in dir, with o instead of the shipped value of k; with
// none replaced if k is nil.
func build(ctx context.Context, root, dir string, k *knob, o other) (variant, error) {
	v := variant{name: "shipped", binary: filepath.Join(dir, "shipped")}
	args := []string{"build"}
	if k != nil {
		v = variant{name: k.name + ": " + o.name, binary: filepath.Join(dir, fileName(k.name+"-"+o.name))}
		overlay, err := writeOverlay(root, v.binary, k, o)
		if err != nil {
			return v, err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-o", v.binary, "./bench")...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	if err := cmd.Run(); err != nil {
		return v, fmt.Errorf("build of %q: %w", v.name, err)
	}
	return v, nil
}

// writeOverlay writes the changed source and the file that tells the go command of it.
func writeOverlay(root, binary string, k *knob, o other) (overlay string, err error) {
	source, err := replaced(root, k, o)
	if err != nil {
		return "", err
	}
	changed, overlay := binary+".go", binary+".json"
	if err := os.WriteFile(changed, []byte(source), 0o600); err != nil {
		return "", err
	}
	replace := map[string]map[string]string{"Replace": {filepath.Join(root, k.file): changed}}
	list, err := json.Marshal(replace)
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, list, 0o600)
}

// replaced returns the source of k with o in it.
func replaced(root string, k *knob, o other) (string, error) {
	source, err := os.ReadFile(filepath.Join(root, k.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(source), k.shipped); n != 1 {
		return "", fmt.Errorf("%s: %q occurs %d times", k.file, k.shipped, n)
	}
	return strings.Replace(string(source), k.shipped, o.text, 1), nil
}

// fileName is a name without what file systems and shells dislike.
func fileName(name string) string { return strings.ReplaceAll(name, " ", "-") }

// moduleRoot returns the directory of the module in which the command runs.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/actorgrid/actorgrid").Output()
	return strings.TrimSpace(string(out)), err
}
