package heavy

import (
	"context"
	"encoding/binary"
	"net/url"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
)

// TestEtcdPut puts 100 bytes at a time into a server of one member, which
// writes each to its log and waits for the disk.
func TestEtcdPut(t *testing.T) {
	n := count(t)
	config := embed.NewConfig()
	config.Dir = t.TempDir()
	config.LogLevel = "fatal"
	addresses := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenPeerUrls, config.ListenClientUrls = addresses, addresses
	config.AdvertisePeerUrls, config.AdvertiseClientUrls = addresses, addresses
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	server, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	<-server.Server.ReadyNotify()
	client := v3client.New(server.Server)
	defer client.Close()
	value := string(make([]byte, 100))
	for i := range n {
		if _, err := client.Put(context.Background(), string(key(i%1000)), value); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBoltCommit commits a hundred puts at a time.
func TestBoltCommit(t *testing.T) {
	n := count(t)
	db, err := bolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	value := make([]byte, 100)
	for i := range n {
		if err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("numbers"))
			for k := 0; k < 100 && err == nil; k++ {
				err = b.Put(key((100*i+k)*7919%100_000), value)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func key(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }
