package grpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/restep/restep/sim"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
)

const port = 50051

// service answers with as many bytes as it is asked for, and counts bytes that
// are streamed to it.
type service struct {
	pb.UnimplementedTestServiceServer
}

func (service) UnaryCall(_ context.Context, r *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return &pb.SimpleResponse{Payload: payload(int(r.ResponseSize))}, nil
}

func (service) StreamingOutputCall(r *pb.StreamingOutputCallRequest, s pb.TestService_StreamingOutputCallServer) error {
	for _, p := range r.ResponseParameters {
		if err := s.Send(&pb.StreamingOutputCallResponse{Payload: payload(int(p.Size))}); err != nil {
			return err
		}
	}
	return nil
}

func (service) StreamingInputCall(s pb.TestService_StreamingInputCallServer) error {
	total := 0
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return s.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: int32(total)})
		}
		if err != nil {
			return err
		}
		total += len(r.Payload.GetBody())
	}
}

func (service) FullDuplexCall(s pb.TestService_FullDuplexCallServer) error {
	for {
		r, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(&pb.StreamingOutputCallResponse{Payload: r.Payload}); err != nil {
			return err
		}
	}
}

func payload(size int) *pb.Payload { return &pb.Payload{Body: make([]byte, size)} }

// newServer makes the machine "server" and waits until it listens. window is how many bytes of a stream
// and of a connection it takes before it has handled any, 0 for gRPC's choice.
func newServer(t *testing.T, window int32) sim.Machine {
	t.Helper()
	m := sim.NewMachine(sim.MachineConfig{Label: "server", MainFunc: func() {
		l, err := net.Listen("tcp", fmt.Sprint(":", port))
		if err != nil {
			log.Fatal(err)
		}
		s := grpc.NewServer(
			grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(window),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: 20 * time.Second, Timeout: 5 * time.Second}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		)
		pb.RegisterTestServiceServer(s, service{})
		if err := s.Serve(l); err != nil {
			log.Fatal(err)
		}
	}})
	if err := m.WaitForPort(port); err != nil {
		t.Fatal(err)
	}
	return m
}

func dial(t *testing.T, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(fmt.Sprint("server:", port), options...)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// The kinds of a call, each with bytes in messages of a size drawn by the seed.
var kinds = []struct {
	name string
	call func(ctx context.Context, c pb.TestServiceClient, bytes int) error
}{
	{"unary", func(ctx context.Context, c pb.TestServiceClient, bytes int) error {
		r, err := c.UnaryCall(ctx, &pb.SimpleRequest{ResponseSize: int32(bytes), Payload: payload(bytes)})
		return got(r.GetPayload(), bytes, err)
	}},
	{"server streams", func(ctx context.Context, c pb.TestServiceClient, bytes int) error {
		s, err := c.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{
			ResponseParameters: []*pb.ResponseParameters{{Size: int32(bytes)}, {Size: 1}, {Size: int32(bytes / 2)}},
		})
		if err != nil {
			return err
		}
		for _, size := range []int{bytes, 1, bytes / 2} {
			r, err := s.Recv()
			if err := got(r.GetPayload(), size, err); err != nil {
				return err
			}
		}
		return ended(s.Recv())
	}},
	{"client streams", func(ctx context.Context, c pb.TestServiceClient, bytes int) error {
		s, err := c.StreamingInputCall(ctx)
		if err != nil {
			return err
		}
		const messages = 10
		for range messages {
			if err := s.Send(&pb.StreamingInputCallRequest{Payload: payload(bytes)}); err != nil {
				break // CloseAndRecv has the cause
			}
		}
		r, err := s.CloseAndRecv()
		if err == nil && int(r.AggregatedPayloadSize) != messages*bytes {
			err = wrong{int(r.AggregatedPayloadSize), messages * bytes}
		}
		return err
	}},
	{"both stream", func(ctx context.Context, c pb.TestServiceClient, bytes int) error {
		s, err := c.FullDuplexCall(ctx)
		if err != nil {
			return err
		}
		for range 5 {
			size := 1 + rand.IntN(bytes)
			if err := s.Send(&pb.StreamingOutputCallRequest{Payload: payload(size)}); err != nil {
				break // Recv has the cause
			}
			r, err := s.Recv()
			if err := got(r.GetPayload(), size, err); err != nil {
				return err
			}
		}
		if err := s.CloseSend(); err != nil {
			return err
		}
		return ended(s.Recv())
	}},
}

// wrong is an answer that no fault of the network excuses.
type wrong struct{ got, want int }

func (w wrong) Error() string { return "an answer has the wrong size" }

func got(p *pb.Payload, want int, err error) error {
	if err == nil && len(p.GetBody()) != want {
		err = wrong{len(p.GetBody()), want}
	}
	return err
}

func ended(_ *pb.StreamingOutputCallResponse, err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errors.New("a message after the last one")
	}
	return err
}
