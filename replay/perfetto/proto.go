package perfetto

import (
	"encoding/binary"
)

// Wire types of Protocol Buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
)

// Field numbers, by message.
const (
	tracePacket = 1 // Trace

	packetTimestamp  = 8 // TracePacket
	packetSequence   = 10
	packetEvent      = 11
	packetDescriptor = 60

	trackUUID    = 1 // TrackDescriptor
	trackProcess = 3
	trackThread  = 4
	trackParent  = 5

	processPid  = 1 // ProcessDescriptor
	processName = 6

	threadPid  = 1 // ThreadDescriptor
	threadTid  = 2
	threadName = 5

	eventAnnotation = 4 // TrackEvent
	eventType       = 9
	eventTrack      = 11
	eventCategory   = 22
	eventName       = 23
	eventFlow       = 47

	annotationUint   = 3 // DebugAnnotation
	annotationString = 6
	annotationName   = 10
)

// Values of TrackEvent.Type.
const (
	sliceBegin = 1
	sliceEnd   = 2
	instant    = 3
)

// message is an encoded message in the making.
type message []byte

func (m message) number(field int, v uint64) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|wireVarint)
	return binary.AppendUvarint(m, v)
}

func (m message) fixed64(field int, v uint64) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|wireFixed64)
	return binary.LittleEndian.AppendUint64(m, v)
}

func (m message) bytes(field int, b []byte) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|wireBytes)
	m = binary.AppendUvarint(m, uint64(len(b)))
	return append(m, b...)
}

func (m message) text(field int, s string) message { return m.bytes(field, []byte(s)) }
