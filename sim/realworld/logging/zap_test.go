package logging

import (
	"errors"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

var errStock = errors.New("out of stock")

// orders is a program that logs JSON with zap: to standard error, and all
// levels to a file, which it syncs.
func orders() {
	file, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	all := zapcore.NewCore(encoder, file, zap.DebugLevel)
	shown := zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), zap.InfoLevel)
	logger := zap.New(zapcore.NewTee(all, shown), zap.AddCaller(), zap.AddStacktrace(zap.ErrorLevel))

	logger.Debug("only in the file", zap.Int("n", 1))
	logger.Info("orders starts", zap.Strings("args", os.Args), zap.Duration("after", time.Second)) // orders ×1
	child := logger.Named("queue").With(zap.Namespace("order"), zap.Int("id", 7))
	for i := range 3 {
		pause()
		child.Info("order taken", zap.Int("items", i)) // orders ×3
	}
	child.Warn("order is late", zap.Time("due", time.Now())) // orders ×1
	fail(child)
	if check := logger.Check(zap.InfoLevel, "checked first"); check != nil {
		check.Write(zap.Bool("checked", true)) // orders ×1
	}
	if err := logger.Sync(); err != nil && !errors.Is(err, errNotAFile) {
		panic(err)
	}
	logger.Info("orders has synced") // orders ×1
	select {}
}

// fail logs an error with the stack of its caller.
func fail(logger *zap.Logger) {
	logger.Error("order failed", zap.Error(errStock), zap.Any("parts", map[string]int{"screw": 2})) // orders ×1
}

// steps wraps zap, as programs do: its lines are its caller's.
type steps struct{ z *zap.SugaredLogger }

func (s steps) logf(format string, args ...any) {
	s.both(format, args...)
}

func (s steps) both(format string, args ...any) { s.z.Infof(format, args...) }

// shipping is a program that logs for the console with zap's sugared logger,
// through wrappers and sampled, and ends fatally.
func shipping() {
	config := zap.NewDevelopmentConfig()
	config.OutputPaths = []string{"stdout"}
	logger, err := config.Build(zap.WithFatalHook(zapcore.WriteThenPanic))
	if err != nil {
		panic(err)
	}
	sugar := logger.Sugar()
	sugar.Debug("shipping starts")                // shipping ×1
	sugar.Infow("parcel", "id", 12, "kg", 1.5)    // shipping ×1
	sugar.Infof("parcel %d leaves", 12)           // shipping ×1
	sugar.Warnln("parcel", 12, "is heavy")        // shipping ×1
	sugar.Errorw("parcel lost", "error", errLost) // shipping ×1
	pause()
	two := steps{logger.WithOptions(zap.AddCallerSkip(2)).Sugar()}
	two.logf("parcel %d found", 12) // shipping ×1
	two.logf("parcel %d again", 12) // shipping ×1
	one := steps{sugar.WithOptions(zap.AddCallerSkip(1))}
	one.both("parcel %d returns", 12) // shipping ×1
	func() {
		one.both("parcel %d inside", 12) // shipping ×1
	}()
	blind(logger.WithOptions(zap.WithCaller(false)))
	undo := zap.RedirectStdLog(logger)
	printStandard("through package log")
	undo()

	sampled := logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Second, 2, 3)
	}))
	for range 2 {
		for range 10 { // one, two, five, eight
			sampled.Info("sampled") // shipping ×8
		}
		time.Sleep(2 * time.Second) // sim:ok simulated time: the sampler's next tick
	}
	defer func() {
		if v := recover(); v != "shipping gives up" {
			panic(v)
		}
	}()
	logger.Fatal("shipping gives up") // shipping ×1
}

// blind logs without a place: what skips it cannot be known.
func blind(logger *zap.Logger) {
	logger.Info("no place") // shipping ×1
}
