package main

import "fmt"

// Rows of the simulated kernel: messages, files, many machines.

func (b *bench) udp() ([]row, error) {
	return b.compare("UDP round trip, 2 machines", "TestUDP", size{1000, 51_000}, 1.0)
}

func (b *bench) fsync() ([]row, error) {
	return b.compare("append of 512 bytes and fsync", "TestFsync", size{100, 5_100}, 1.0)
}

// many compares what a message takes among 100 machines and among 10. Copying
// variables and caches aside, it should take the same.
func (b *bench) many() ([]row, error) {
	if err := b.prepare(); err != nil {
		return nil, err
	}
	var values [2][]float64
	for range b.rounds {
		for i, test := range []string{"TestMachines10", "TestMachines100"} {
			v, err := perOperation(b.work, test, size{2000, 102_000})
			if err != nil {
				return nil, err
			}
			values[i] = append(values[i], v)
		}
	}
	ten, hundred := median(values[0]), median(values[1])
	return []row{
		{name: "UDP message among 10 machines", restep: ten, format: microseconds},
		{name: "UDP message among 100 machines", restep: hundred, format: microseconds, target: 1.5 * ten,
			note: fmt.Sprintf("%.2f times as long as among 10", hundred/ten)},
	}, nil
}
