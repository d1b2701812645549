package proto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pion/rtcp"
)

// MaxRTCPBytes is the largest RTCP datagram that is read.
const MaxRTCPBytes = 1500

// IsRTCP tells RTCP from RTP on their common port, by version and packet type
// (RFC 5761, section 4).
func IsRTCP(b []byte) bool {
	return len(b) >= 4 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223
}

// Report is what one end tells the other over RTCP: one compound packet.
type Report struct {
	SSRC  uint32 // of the end that reports
	CNAME string // at most 255 bytes; required when the report is written
	// Sender describes the stream that the end sends; nil when it sends none.
	Sender *SenderInfo
	// Receptions describes the streams that the end receives, at most 31.
	Receptions []Reception
	// Latency is what the end measured of a stream that it receives; nil: nothing.
	Latency *Latency
	// Paused says that the end's graph is not in real time, as for an export: nothing
	// is sent until it is.
	Paused bool
	// Refused is why a stream that was agreed cannot be here, for people, at most 255 bytes;
	// "": each can.
	Refused string
	// Bye says that the end leaves.
	Bye bool
	// ByeReason is for people, at most 255 bytes; may be empty.
	ByeReason string
}

// SenderInfo is the sender's part of a sender report (RFC 3550, section 6.4.1).
type SenderInfo struct {
	Time         NTPTime // when the report was made
	RTPTimestamp uint32  // the same instant on the media clock
	Packets      uint32  // sent since the start, modulo 2^32
	Octets       uint32  // payload bytes of them, modulo 2^32
}

// Reception is one reception report block (RFC 3550, section 6.4.1).
type Reception struct {
	SSRC             uint32        // of the stream reported on
	FractionLost     float64       // since the previous report, 0 to 255/256
	CumulativeLost   int           // since the start, -8388608 to 8388607; below 0: duplicates
	HighestSequence  uint32        // extended by the count of wraps
	Jitter           uint32        // RTP timestamp units, see JitterEstimator
	LastSR           uint32        // Middle of the last sender report's time; 0: none came
	DelaySinceLastSR time.Duration // from its arrival to this report, up to 65535 s
}

// Latency is the one-way latency of a stream, from the start of its sender's cycle
// to the start of the receiver's, as the receiver measured it. Both times are 0 to
// 4.29 s.
type Latency struct {
	SSRC   uint32 // of the stream
	OneWay time.Duration
	Error  time.Duration // the most that it can be off
}

// Our APP packets (RFC 3550, section 6.7): one carries a Latency, one says that the sender
// is Paused, and has no data, and one says why it has Refused a stream.
const (
	appName        = "ARCH"
	latencySubtype = 1
	pausedSubtype  = 2
	refusedSubtype = 3
	latencyBytes   = 12 // SSRC, latency, error; both in nanoseconds
)

const (
	maxReceptions = 31
	maxLost       = 1<<23 - 1
	minLost       = -1 << 23
)

// Marshal writes the compound packet: SR or RR, then SDES with the CNAME, APP with
// the latency and for a pause, BYE when the end leaves (RFC 3550, section 6.1). Figures beyond what a field
// holds are clamped.
func (r Report) Marshal() ([]byte, error) {
	if len(r.Receptions) > maxReceptions {
		return nil, fmt.Errorf("RTCP report of %d streams: legal are up to %d", len(r.Receptions), maxReceptions)
	}
	cname := cleanCNAME(r.CNAME)
	if cname == "" {
		return nil, errors.New("RTCP report without a CNAME")
	}
	blocks := make([]rtcp.ReceptionReport, len(r.Receptions))
	for i, reception := range r.Receptions {
		blocks[i] = reception.block()
	}
	packets := make([]rtcp.Packet, 0, 6)
	if s := r.Sender; s != nil {
		packets = append(packets, &rtcp.SenderReport{
			SSRC:        r.SSRC,
			NTPTime:     uint64(s.Time),
			RTPTime:     s.RTPTimestamp,
			PacketCount: s.Packets,
			OctetCount:  s.Octets,
			Reports:     blocks,
		})
	} else {
		packets = append(packets, &rtcp.ReceiverReport{SSRC: r.SSRC, Reports: blocks})
	}
	packets = append(packets, rtcp.NewCNAMESourceDescription(r.SSRC, cname))
	if r.Latency != nil {
		packets = append(packets, r.Latency.packet(r.SSRC))
	}
	if r.Paused {
		packets = append(packets, &rtcp.ApplicationDefined{SSRC: r.SSRC, Name: appName, SubType: pausedSubtype})
	}
	if reason := cleanName(r.Refused, maxCNAMEBytes); reason != "" {
		data := make([]byte, (len(reason)+3)/4*4) // whole words, the last one filled up with zeros
		copy(data, reason)
		packets = append(packets, &rtcp.ApplicationDefined{SSRC: r.SSRC, Name: appName, SubType: refusedSubtype, Data: data})
	}
	if r.Bye {
		packets = append(packets, &rtcp.Goodbye{
			Sources: []uint32{r.SSRC},
			Reason:  cleanName(r.ByeReason, maxCNAMEBytes),
		})
	}
	return rtcp.Marshal(packets)
}

func (r Reception) block() rtcp.ReceptionReport {
	return rtcp.ReceptionReport{
		SSRC:               r.SSRC,
		FractionLost:       uint8(min(max(r.FractionLost*256, 0), 255)),
		TotalLost:          uint32(min(max(r.CumulativeLost, minLost), maxLost)) & 0xffffff,
		LastSequenceNumber: r.HighestSequence,
		Jitter:             r.Jitter,
		LastSenderReport:   r.LastSR,
		Delay:              shortUnits(r.DelaySinceLastSR),
	}
}

func reception(block rtcp.ReceptionReport) Reception {
	return Reception{
		SSRC:             block.SSRC,
		FractionLost:     float64(block.FractionLost) / 256,
		CumulativeLost:   int(int32(block.TotalLost<<8) >> 8), // 24 bits, signed
		HighestSequence:  block.LastSequenceNumber,
		Jitter:           block.Jitter,
		LastSR:           block.LastSenderReport,
		DelaySinceLastSR: shortDuration(block.Delay),
	}
}

func (l Latency) packet(from uint32) rtcp.Packet {
	data := binary.BigEndian.AppendUint32(nil, l.SSRC)
	for _, d := range []time.Duration{l.OneWay, l.Error} {
		data = binary.BigEndian.AppendUint32(data, uint32(min(max(d, 0), math.MaxUint32)))
	}
	return &rtcp.ApplicationDefined{SSRC: from, Name: appName, SubType: latencySubtype, Data: data}
}

// ParseRTCP reads a datagram of RTCP. Packet types other than SR, RR, SDES, BYE
// and our APP are passed over, and so is what other sources than the first one say; a
// datagram may be of reduced size (RFC 5506), even a BYE alone. A malformed
// packet makes the whole datagram invalid.
func ParseRTCP(b []byte) (Report, error) {
	if len(b) > MaxRTCPBytes {
		return Report{}, fmt.Errorf("RTCP datagram of %d bytes: legal is up to %d", len(b), MaxRTCPBytes)
	}
	var parser rtcpParser
	for len(b) > 0 {
		var header rtcp.Header
		if !IsRTCP(b) || header.Unmarshal(b) != nil {
			return Report{}, errors.New("not an RTCP packet")
		}
		size := (int(header.Length) + 1) * 4
		if size > len(b) {
			return Report{}, fmt.Errorf("RTCP packet of %d bytes is cut off at %d", size, len(b))
		}
		if err := parser.packet(header.Type, b[:size]); err != nil {
			return Report{}, fmt.Errorf("malformed RTCP packet, type %d", header.Type)
		}
		b = b[size:]
	}
	if !parser.identified {
		return Report{}, errors.New("RTCP datagram without a report, SDES or BYE")
	}
	return parser.report, nil
}

type rtcpParser struct {
	report     Report
	identified bool // report.SSRC is known
	reported   bool // an SR or RR of it was read
}

// from says whether ssrc is the source that the datagram is from: the first one
// named in it.
func (p *rtcpParser) from(ssrc uint32) bool {
	if !p.identified {
		p.report.SSRC, p.identified = ssrc, true
	}
	return p.report.SSRC == ssrc
}

func (p *rtcpParser) packet(packetType rtcp.PacketType, b []byte) error {
	switch packetType {
	case rtcp.TypeSenderReport:
		var sr rtcp.SenderReport
		if err := sr.Unmarshal(b); err != nil {
			return err
		}
		if p.from(sr.SSRC) && !p.reported {
			p.report.Sender = &SenderInfo{
				Time:         NTPTime(sr.NTPTime),
				RTPTimestamp: sr.RTPTime,
				Packets:      sr.PacketCount,
				Octets:       sr.OctetCount,
			}
			p.receptions(sr.Reports)
		}
	case rtcp.TypeReceiverReport:
		var rr rtcp.ReceiverReport
		if err := rr.Unmarshal(b); err != nil {
			return err
		}
		if p.from(rr.SSRC) && !p.reported {
			p.receptions(rr.Reports)
		}
	case rtcp.TypeSourceDescription:
		var sdes rtcp.SourceDescription
		if err := sdes.Unmarshal(b); err != nil {
			return err
		}
		p.names(sdes.Chunks)
	case rtcp.TypeApplicationDefined:
		var app rtcp.ApplicationDefined
		if err := app.Unmarshal(b); err != nil {
			return err
		}
		if app.Name != appName || !p.from(app.SSRC) {
			return nil
		}
		if app.SubType == pausedSubtype {
			p.report.Paused = true
		}
		if app.SubType == refusedSubtype {
			p.report.Refused = cleanName(string(app.Data), maxCNAMEBytes)
		}
		if app.SubType == latencySubtype && len(app.Data) >= latencyBytes {
			p.report.Latency = &Latency{
				SSRC:   binary.BigEndian.Uint32(app.Data),
				OneWay: time.Duration(binary.BigEndian.Uint32(app.Data[4:])),
				Error:  time.Duration(binary.BigEndian.Uint32(app.Data[8:])),
			}
		}
	case rtcp.TypeGoodbye:
		var bye rtcp.Goodbye
		if err := bye.Unmarshal(b); err != nil {
			return err
		}
		for _, ssrc := range bye.Sources {
			if p.from(ssrc) {
				p.report.Bye, p.report.ByeReason = true, cleanName(bye.Reason, maxCNAMEBytes)
			}
		}
	}
	return nil
}

func (p *rtcpParser) receptions(blocks []rtcp.ReceptionReport) {
	p.reported = true
	for _, block := range blocks {
		p.report.Receptions = append(p.report.Receptions, reception(block))
	}
}

func (p *rtcpParser) names(chunks []rtcp.SourceDescriptionChunk) {
	for _, chunk := range chunks {
		if !p.from(chunk.Source) {
			continue
		}
		for _, item := range chunk.Items {
			if item.Type == rtcp.SDESCNAME {
				p.report.CNAME = cleanCNAME(item.Text)
			}
		}
	}
}
