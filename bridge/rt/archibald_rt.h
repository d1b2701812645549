/* The contract between the real-time core (bridge/rt) and the audio server
 * shims (bridge/audio/...). Opaque handles and function types, nothing else:
 * shims reach the core only through the function pointers that Go hands them,
 * so no shim can be compiled against a stale layout.
 *
 * Time is always passed in. Only the core's socket layer reads a clock, to bring
 * the kernel's arrival stamps (CLOCK_REALTIME) to the callers' CLOCK_MONOTONIC.
 */
#ifndef ARCHIBALD_RT_H
#define ARCHIBALD_RT_H

#include <stdint.h>

/* One end of a bridge: one sender, one receiver, one socket, one media clock. */
typedef struct archibald_engine archibald_engine;

/* Play one cycle. Called once per cycle by the node that has only outputs
 * (JACK archibald-from-host, PipeWire archibald-from-guest), on its real-time
 * thread. This call also advances the media clock of the graph.
 *
 *   out          channels buffers of frames samples each, always filled whole;
 *                a NULL buffer is skipped
 *   channels     0 to 64; beyond that, or of too many frames, the cycle is silence and
 *                does not count
 *   frames       1 to 8192; 0: no cycle, the graph stopped
 *                following real time. Nothing is sent any more, and with the next
 *                cycle the media clock goes on by the time that went by till then,
 *                whatever the graph's counter says; the other arguments mean nothing
 *   graph_frame  the graph's own frame counter at the start of this cycle,
 *                extended to 64 bits (jack_last_frame_time, spa_io_clock.position)
 *   cycle_ns     CLOCK_MONOTONIC start of the cycle as the graph states it
 *                (spa_io_clock.nsec, jack_frames_since_cycle_start)
 *   now_ns       CLOCK_MONOTONIC at the entry of this callback
 */
typedef void (*archibald_playout_fn)(archibald_engine *engine, float *const *out, uint32_t channels,
                                     uint32_t frames, uint64_t graph_frame, int64_t cycle_ns,
                                     int64_t now_ns);

/* Take one cycle. Called once per cycle by the node that has only inputs (JACK
 * archibald-to-host, PipeWire archibald-to-guest), on its real-time thread.
 * May run at the same time as the playout callback. Arguments as above; a NULL
 * buffer is silence. */
typedef void (*archibald_capture_fn)(archibald_engine *engine, const float *const *in,
                                     uint32_t channels, uint32_t frames, uint64_t graph_frame,
                                     int64_t now_ns);

#endif
