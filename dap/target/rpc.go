package target

import (
	"errors"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"reflect"
	"sync"

	"github.com/go-delve/delve/service"
	"github.com/go-delve/delve/service/api"
	"github.com/go-delve/delve/service/debugger"
	"github.com/go-delve/delve/service/rpc2"
)

// rpcServer serves Delve's API over one connection for a debugger that exists
// already. Delve's own server (service/rpccommon) makes the debugger itself.
//
// One goroutine reads; a request that Delve answers asynchronously has one of
// its own until it is answered.
type rpcServer struct {
	dbg     *debugger.Debugger
	methods map[string]reflect.Value
	codec   rpc.ServerCodec
	sending sync.Mutex
	gone    chan struct{}
}

// serveRPC serves until conn is closed.
func serveRPC(conn net.Conn, dbg *debugger.Debugger) {
	s := &rpcServer{dbg: dbg, methods: map[string]reflect.Value{}, codec: jsonrpc.NewServerCodec(conn), gone: make(chan struct{})}
	defer s.codec.Close()
	defer close(s.gone)
	s.add(reflect.ValueOf(rpc2.NewServer(&service.Config{APIVersion: 2}, dbg)))
	s.add(reflect.ValueOf(&versions{dbg}))
	for {
		var req rpc.Request
		if s.codec.ReadRequestHeader(&req) != nil {
			return
		}
		if !s.handle(req) {
			return
		}
	}
}

// add takes the methods of Delve's two forms: (args, *reply) error and (args,
// callback).
func (s *rpcServer) add(v reflect.Value) {
	for m, f := range v.Methods() {
		if f.Type().NumIn() == 2 {
			s.methods["RPCServer."+m.Name] = f
		}
	}
}

// versions is the part of the API that Delve keeps outside of rpc2.
type versions struct{ dbg *debugger.Debugger }

func (v *versions) GetVersion(_ api.GetVersionIn, out *api.GetVersionOut) error {
	out.APIVersion = 2
	return v.dbg.GetVersion(out)
}

func (v *versions) SetApiVersion(in api.SetAPIVersionIn, _ *api.SetAPIVersionOut) error {
	if in.APIVersion != 2 {
		return errors.New("unknown API version")
	}
	return nil
}

// handle answers one request. It returns false when the connection is broken.
func (s *rpcServer) handle(req rpc.Request) bool {
	f, ok := s.methods[req.ServiceMethod]
	if !ok {
		if s.codec.ReadRequestBody(nil) != nil {
			return false
		}
		s.send(req, nil, errors.New("unknown method "+req.ServiceMethod))
		return true
	}
	arg := reflect.New(f.Type().In(0))
	if err := s.codec.ReadRequestBody(arg.Interface()); err != nil {
		s.send(req, nil, err)
		return true
	}
	if f.Type().NumOut() == 0 {
		cb := &callback{s: s, req: req, ready: make(chan struct{})}
		go f.Call([]reflect.Value{arg.Elem(), reflect.ValueOf(cb)})
		<-cb.ready
		return true
	}
	reply := reflect.New(f.Type().In(1).Elem())
	err, _ := f.Call([]reflect.Value{arg.Elem(), reply})[0].Interface().(error)
	s.send(req, reply.Interface(), err)
	return true
}

func (s *rpcServer) send(req rpc.Request, reply any, err error) {
	resp := rpc.Response{ServiceMethod: req.ServiceMethod, Seq: req.Seq}
	if err != nil {
		resp.Error, reply = err.Error(), struct{}{}
	}
	s.sending.Lock()
	defer s.sending.Unlock()
	_ = s.codec.WriteResponse(&resp, reply) // the reader notices a broken connection
}

// callback is how Delve answers later. Delve closes ready when the next
// request may be read.
type callback struct {
	s     *rpcServer
	req   rpc.Request
	ready chan struct{}
}

func (c *callback) Return(out any, err error) {
	select {
	case <-c.ready:
	default:
		close(c.ready)
	}
	select {
	case <-c.s.gone:
	default:
		c.s.send(c.req, out, err)
	}
}

func (c *callback) SetupDoneChan() chan struct{}  { return c.ready }
func (c *callback) DisconnectChan() chan struct{} { return c.s.gone }
