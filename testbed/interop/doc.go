// Package interop runs the bridge's plain RTP against programs of others, in both
// directions: GStreamer, ffmpeg and PipeWire's RTP modules on one pretended
// machine, our end on another, a cable between them, and tshark listening on it.
// What arrived is compared bit for bit with what was played.
package interop
