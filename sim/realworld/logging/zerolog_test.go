package logging

import (
	"errors"
	"log"
	"os"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"
	global "github.com/rs/zerolog/log"
)

var errLost = errors.New("lost")

// billing is a program that logs JSON with zerolog: to standard output, and to
// a file, which it syncs.
func billing() {
	file, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	zerolog.ErrorStackMarshaler = func(error) any { return string(debug.Stack()) }
	logger := zerolog.New(zerolog.MultiLevelWriter(os.Stdout, file)).With().Timestamp().Caller().Logger().Level(zerolog.InfoLevel)

	logger.Debug().Msg("below the level")
	logger.Info().Str("currency", "EUR").Msg("billing starts") // billing ×1
	child := logger.With().Str("part", "invoice").Logger()
	for i := range 3 {
		pause()
		child.Info().
			Int("number", i).
			Dict("sum", zerolog.Dict().Int("net", 100*i).Int("gross", 119*i)).
			Msgf("invoice %d", i) // billing ×3 "invoice "
	}
	child.Warn().Dur("late", time.Hour).Send()                    // billing ×1 "late"
	child.Error().Stack().Err(errLost).Msg("payment failed")      // billing ×1
	child.Log().Bytes("raw", []byte{1, 2}).Msg("without a level") // billing ×1
	child.WithLevel(zerolog.FatalLevel).Msg("not fatal")          // billing ×1
	account(&child, "account of ", 3)
	if e := child.Trace(); e.Enabled() {
		panic("trace is enabled")
	}
	if err := file.Sync(); err != nil {
		panic(err)
	}
	logger.Info().Msg("billing has synced") // billing ×1
	select {}
}

// account logs for its caller; there is no caller in its line.
func account(logger *zerolog.Logger, text string, n int) {
	logger.Info().Int("account", n).Msg(text) // billing ×1 "account"
}

// notice logs for its caller, whose place is in the line.
func notice(logger *zerolog.Logger, text string) {
	logger.Info().CallerSkipFrame(1).Msg(text)
}

// stock is a program that logs for the console with zerolog: through the
// global logger, wrappers, a hook and package log, sampled.
func stock() {
	console := zerolog.ConsoleWriter{Out: os.Stderr, TimeFormat: time.TimeOnly}
	global.Logger = zerolog.New(console).With().Timestamp().Caller().Logger()
	global.Info().Int("shelves", 12).Msg("stock starts") // stock ×1
	global.Warn().Err(errStock).Msg("shelf is empty")    // stock ×1
	global.Print("printed")                              // stock ×1
	pause()
	plain := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true}).With().Caller().Logger()
	notice(&plain, "noticed")                  // stock ×1
	notice(&plain, "noticed again")            // stock ×1
	notice(&global.Logger, "noticed in color") // stock ×1
	hooked := plain.Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) { e.Str("hooked", "yes") }))
	hooked.Info().Msg("with a hook") // stock ×1
	log.SetFlags(0)
	log.SetOutput(zerolog.New(os.Stderr))
	printStandard("through package log")
	sampled := plain.Sample(&zerolog.BasicSampler{N: 3})
	for i := range 10 { // one, four, seven, ten
		sampled.Info().Int("i", i).Msg("sampled") // stock ×4
	}
	defer func() {
		if v := recover(); v != "stock gives up" {
			panic(v)
		}
		os.Exit(3)
	}()
	global.Panic().Msg("stock gives up") // stock ×1
}

// printStandard logs with package log, which a logger reads.
func printStandard(text string) {
	log.Print(text) // shipping ×1 stock ×1
}
