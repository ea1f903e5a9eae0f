package main

import (
	"io"
	"log/slog"

	"daybook/configs"
)

// newLogger makes the log that the configuration asks for, but at least at the
// given level: commands that run beside a person's terminal say less.
func newLogger(c *configs.Config, w io.Writer, least slog.Level) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo // checked by configs
	}
	opt := &slog.HandlerOptions{Level: max(level, least)}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}
