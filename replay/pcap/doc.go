// Package pcap writes the messages of a recorded run as a pcapng capture, for
// Wireshark, tshark and whatever else reads it.
//
// A step log holds who sent how many bytes to whom and when, and no bytes. So
// each packet is its headers alone, with the full length beside it, as a
// capture with a short snap length has them. Sequence numbers count from 0 in
// each direction; handshakes and ends of connections are made from the steps
// that tell of them. Every packet is captured where it is sent, on an interface
// named after the machine, and its comment is the step: "#412".
//
// It deliberately does not show what the log does not have: acknowledgements
// without data, ICMP, unix sockets. It opens no file. It may import sim/steplog
// and the standard library.
//
// Invariant: a capture that was cut at any block is a valid one.
//
// Sources: PCAP Next Generation Capture File Format
// (draft-ietf-opsawg-pcapng-02), RFC 791, RFC 8200, RFC 9293, RFC 768.
package pcap
