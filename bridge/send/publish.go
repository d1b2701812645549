package send

import (
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// Publisher tells others of the stream that is sent without a session.
type Publisher interface {
	Publish(proto.Description)
}

// publish says what is sent, and where, once that is known.
func (d *Direction) publish(plan stream.SendPlan, encoding proto.Encoding) {
	if d.parts.Publisher == nil {
		return
	}
	s := d.settings
	description := proto.Description{
		Name: s.CNAME, Address: plan.To.Addr(), Port: int(plan.To.Port()),
		Payloads: proto.Payloads(encoding), RateHz: plan.Format.RateHz, SendChannels: plan.Format.Channels,
		OwnOrder: s.OwnOrder, PacketFrames: plan.PacketFrames, MaxBitrate: s.Bitrate, SSRC: plan.SSRC, CNAME: s.CNAME,
	}
	if description.Address.IsMulticast() {
		description.TTL = s.MulticastTTL
	}
	d.parts.Publisher.Publish(description)
}
