package rt

import (
	"testing"

	"archibald-bridge/bridge/stream"
)

// FuzzFollow drives a follower by any packets, at any times and for any reasons, and holds it
// to what its caller relies on: it is woken in the future, and no cycle starts while one runs
// that was not given up.
func FuzzFollow(f *testing.F) {
	f.Add([]byte{0, 0, 1, 2, 3, 4, 5, 6, 7})
	f.Add([]byte{9, 9, 9, 0, 200, 2, 9, 0, 255, 1, 9, 0, 1, 2, 9, 17, 33, 49, 65, 80, 9, 0, 2})
	f.Fuzz(func(t *testing.T, input []byte) {
		v, err := NewVirtual(48000)
		check(t, err)
		defer v.Close()
		take := func() int64 {
			if len(input) == 0 {
				return 0
			}
			b := input[0]
			input = input[1:]
			return int64(b)
		}
		period := []int{1, 16, 64, 1024}[take()%4]
		packet := max(1, period/int(1+take()%3))
		format := formatF32(1)
		v.Follow(48000, period)
		begin := func() {
			check(t, v.StartReceiver(stream.ReceivePlan{Format: format, PayloadType: 98, SSRC: playerSSRC, Lock: stream.Follows, PeriodFrames: period}))
			check(t, v.StartSender(stream.SendPlan{Format: format, PayloadType: 98, PacketFrames: min(period, 300), SSRC: 9, Lock: stream.Follows}))
		}
		begin()
		var (
			socket   [][]byte
			sequence uint16
			media    int64
			within   int
			begins   = 2
			running  bool
			ns       = int64(1e9)
			periodNs = int64(period) * 1e9 / 48000
			beganNs  int64
		)
		next := func() ([]byte, int64, bool) {
			if len(socket) == 0 {
				return nil, 0, false
			}
			p := socket[0]
			socket = socket[1:]
			return p, ns, true
		}
		send := func() {
			p := player{base: 0xffffff00, channels: 1, source: ledSound}
			frames := min(packet, period-within, 360)
			b := p.packetOf(sequence, media+int64(within), frames)
			if within == 0 {
				b[1] |= 0x80
			}
			if within += frames; within >= period {
				media, within = media+int64(period), 0
			}
			sequence++
			socket = append(socket, b)
		}
		for steps := 0; len(input) > 0 && steps < 400; steps++ {
			op := take()
			switch op % 16 {
			case 0: // lost
				sequence++
				within = 0
				media += int64(period)
			case 1:
				media += (take() - 128) * take()
				within = 0
			case 2:
				ns += take() * periodNs / 16
			case 3:
				sequence += uint16(take()) << 4
			case 4:
				if n := len(socket); n > 1 {
					socket[n-1], socket[n-2] = socket[n-2], socket[n-1]
				}
			case 5:
				if len(socket) > 0 {
					socket = append(socket, socket[0])
				}
			case 6:
				if op > 200 && begins > 0 { // each fades out for as long as nothing plays
					begins--
					begin()
				}
			case 7:
				if op > 200 {
					v.Follow(48000, period)
				} else if op > 180 {
					v.Mute()
				}
			case 8, 9, 10:
				send()
			case 11:
				out := v.Play(1, period, 0, ns)
				_ = v.Capture([][]float32{out[0]}, 0, ns)
			case 12:
				socket = append(socket, []byte{0x80, byte(take()), byte(take())})
			default:
				why := FollowWhy(op / 16 % 3)
				start, wakeNs := v.Step(why, ns, next)
				if wakeNs <= ns {
					t.Fatalf("wake at %d, it is %d", wakeNs, ns)
				}
				if start && running && why != FollowDone && ns-beganNs < 3*periodNs-3 {
					t.Fatalf("a cycle on top of one that began %d ns ago", ns-beganNs)
				}
				if why == FollowDone || start {
					running = false
				}
				if start {
					running, beganNs = true, ns
					out := v.Play(1, period, 0, ns)
					sent := v.Capture([][]float32{out[0]}, 0, ns)
					again := v.Capture([][]float32{out[0]}, 0, ns)
					if len(again) > 0 {
						t.Fatalf("%d packets of a cycle, then %d more", len(sent), len(again))
					}
				}
			}
		}
	})
}
