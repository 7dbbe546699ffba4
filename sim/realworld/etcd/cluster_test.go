package etcd

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/sim"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// nodes is the size of a cluster.
const nodes = 3

func label(i int) string { return fmt.Sprint("etcd", i) }

func addr(i int) netip.Addr { return netip.AddrFrom4([4]byte{11, 0, 2, byte(i + 1)}) }

func endpoint(i, port int) url.URL {
	return url.URL{Scheme: "http", Host: netip.AddrPortFrom(addr(i), uint16(port)).String()}
}

// serve is the program of machine i: an etcd server that keeps its data in
// /data and starts with what it finds there.
func serve(i int) {
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir = label(i), "/data"
	cfg.ListenPeerUrls = []url.URL{endpoint(i, 2380)}
	cfg.ListenClientUrls = []url.URL{endpoint(i, 2379)}
	cfg.AdvertisePeerUrls, cfg.AdvertiseClientUrls = cfg.ListenPeerUrls, cfg.ListenClientUrls
	var peers []string
	for j := range nodes {
		u := endpoint(j, 2380)
		peers = append(peers, label(j)+"="+u.String())
	}
	cfg.InitialCluster = strings.Join(peers, ",")
	cfg.QuotaBackendBytes = 64 << 20 // the store maps a little more than this, not 10 GB
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(<-e.Err())
}

// newCluster boots the machines and waits until each answers.
func newCluster(t *testing.T) []sim.Machine {
	t.Helper()
	machines := make([]sim.Machine, nodes)
	for i := range machines {
		machines[i] = sim.NewMachine(sim.MachineConfig{Label: label(i), Addr: addr(i), MainFunc: func() { serve(i) }})
	}
	serves(t, "at the start")
	return machines
}

// serves waits until each machine takes part in the cluster: it answers a read
// that a majority has agreed to.
func serves(t *testing.T, when string) {
	t.Helper()
	for i := range nodes {
		c := connect(t, i)
		if err := sim.WaitUntilSucceeds(func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := c.Get(ctx, "a")
			return err
		}); err != nil {
			t.Fatalf("%s, %s: %v", when, label(i), err)
		}
		c.Close()
	}
}

// connect makes a client of one machine.
func connect(t *testing.T, i int) *clientv3.Client {
	t.Helper()
	u := endpoint(i, 2379)
	c, err := clientv3.New(clientv3.Config{
		Endpoints: []string{u.String()}, DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: 2 * time.Second, Logger: zap.NewNop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
