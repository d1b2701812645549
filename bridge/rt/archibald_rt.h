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

/* A graph that is driven by the peer's packets (the locked mode; the peer leads, this end
 * follows). The shim that starts the graph's cycles calls this function, always from one
 * thread, when it is woken, and starts a cycle when it is told to. In that cycle playout and
 * capture are called once each, playout first, with the usual arguments: the core knows by
 * itself which of the leader's cycles it is, and pays no heed to graph_frame. In a cycle that
 * nobody was told to start, playout is silence and nothing is sent.
 *
 *   why      what woke the caller
 *   now_ns   CLOCK_MONOTONIC
 *   wake_ns  is set to when to call again, with archibald_follow_timer, unless something
 *            else happens before; CLOCK_MONOTONIC, always in the future
 *
 * Returns 1: start a cycle now; 0: do not. It never blocks. Packets that came while a cycle
 * runs stay in the socket until it is done. */
enum archibald_follow_why {
    archibald_follow_readable, /* the socket has something */
    archibald_follow_timer,    /* wake_ns has come */
    archibald_follow_done      /* the cycle that was started has ended: capture has returned */
};
typedef int (*archibald_follow_fn)(archibald_engine *engine, enum archibald_follow_why why,
                                   int64_t now_ns, int64_t *wake_ns);

#endif
