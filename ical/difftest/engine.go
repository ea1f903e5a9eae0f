package main

import (
	"bufio"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

//go:embed engines
var sources embed.FS

// engine is a program that reads cases and answers them, one line for each: the
// starts, or ! and a message.
type engine struct {
	name     string
	command  []string
	dir      string
	rscale   bool
	patience time.Duration

	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
}

// can reports whether the engine is to be asked: only libical knows SKIP.
func (e *engine) can(c testCase) bool { return e.rscale || !strings.Contains(c.rule, "RSCALE") }

// install makes the engines ready in the folder and leaves out those that
// cannot be had.
func install(ctx context.Context, dir string, patience time.Duration) ([]*engine, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"icaljs.mjs", "rrulejs.mjs", "libical.c"} {
		data, err := sources.ReadFile("engines/" + name)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	all := []*engine{{name: "rrule-go", command: []string{self, "-rrule-go"}}}
	if err := setUp(ctx, dir, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "ical.js@2", "rrule@2"); err != nil {
		log.Printf("without ical.js and rrule: %v", err)
	} else {
		all = append(all, &engine{name: "ical.js", command: []string{"node", "icaljs.mjs"}}, &engine{name: "rrule", command: []string{"node", "rrulejs.mjs"}})
	}
	if err := setUp(ctx, dir, "cc", "-O1", "-o", "libical", "libical.c", "-lical"); err != nil {
		log.Printf("without libical: %v", err)
	} else {
		all = append(all, &engine{name: "libical", command: []string{filepath.Join(dir, "libical")}, rscale: true})
	}
	for _, e := range all {
		e.dir, e.patience = dir, patience
	}
	return all, nil
}

func setUp(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s: %w %s", name, err, line)
	}
	return nil
}

func (e *engine) start() error {
	e.cmd = exec.Command(e.command[0], e.command[1:]...)
	e.cmd.Dir = e.dir
	in, err := e.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := e.cmd.Start(); err != nil {
		e.cmd = nil
		return err
	}
	e.in, e.lines = in, make(chan string, 1)
	go func(lines chan<- string) {
		defer close(lines)
		s := bufio.NewScanner(out)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			lines <- s.Text()
		}
	}(e.lines)
	return nil
}

// stop ends the engine's process, if there is one.
func (e *engine) stop() {
	if e.cmd == nil {
		return
	}
	_ = e.cmd.Process.Kill() // it may have ended by itself
	for range e.lines {      // what it still said
	}
	_ = e.cmd.Wait() // was ended by force
	e.cmd = nil
}

var errNoAnswer = errors.New("no answer")

// ask gives the engine's answer to a case.
func (e *engine) ask(ctx context.Context, c testCase) (string, error) {
	if e.cmd == nil {
		if err := e.start(); err != nil {
			return "", err
		}
	}
	if _, err := io.WriteString(e.in, c.line()); err != nil {
		e.stop()
		return "", err
	}
	timer := time.NewTimer(e.patience)
	defer timer.Stop()
	select {
	case answer, ok := <-e.lines:
		if ok {
			return answer, nil
		}
	case <-timer.C:
	case <-ctx.Done():
	}
	e.stop()
	return "", errNoAnswer
}

// serveRRuleGo answers cases by rrule-go.
func serveRRuleGo(in io.Reader, out io.Writer) {
	for s := bufio.NewScanner(in); s.Scan(); {
		answer, err := rruleGo(strings.Fields(s.Text()))
		if err != nil {
			answer = "!" + err.Error()
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return
		}
	}
}

func rruleGo(fields []string) (string, error) {
	if len(fields) != 4 {
		return "", errors.New("bad case")
	}
	layout := strings.TrimSuffix(stamp, "Z")
	if len(fields[1]) == len(day) {
		layout = day
	}
	start, err := time.Parse(layout, strings.TrimSuffix(fields[1], "Z"))
	if err != nil {
		return "", err
	}
	end, err := time.Parse(layout, strings.TrimSuffix(fields[2], "Z"))
	if err != nil {
		return "", err
	}
	left, err := strconv.Atoi(fields[3])
	if err != nil {
		return "", err
	}
	opt, err := rrule.StrToROption(fields[0])
	if err != nil {
		return "", err
	}
	opt.Dtstart = start
	r, err := rrule.NewRRule(*opt)
	if err != nil {
		return "", err
	}
	var all []string
	next := r.Iterator()
	for t, ok := next(); ok && left > 0 && t.Before(end); t, ok = next() {
		all = append(all, t.Format(layout))
		left--
	}
	return strings.Join(all, " "), nil
}
