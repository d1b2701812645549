//go:build portaudio

/* Opening and closing a stream, and what is known of it. */
#define _GNU_SOURCE
#include "state.h"

#include <signal.h>
#include <stdlib.h>
#ifdef __linux__
#include <sched.h>
#endif

/* The parameters of one direction; NULL for none. */
static const PaStreamParameters *parameters(PaStreamParameters *into, int device, uint32_t channels,
                                            double latency_s) {
    if (device < 0 || channels == 0) return NULL;
    *into = (PaStreamParameters){
        .device = device,
        .channelCount = (int)channels,
        .sampleFormat = paFloat32 | paNonInterleaved,
        .suggestedLatency = latency_s,
    };
    return into;
}

static const PaStreamParameters *capture_of(PaStreamParameters *into,
                                            const struct archibald_portaudio_plan *plan) {
    return parameters(into, plan->capture_device, plan->send_channels, plan->capture_latency_s);
}

static const PaStreamParameters *playout_of(PaStreamParameters *into,
                                            const struct archibald_portaudio_plan *plan) {
    return parameters(into, plan->playout_device, plan->receive_channels, plan->playout_latency_s);
}

PaError archibald_portaudio_supports(const struct archibald_portaudio_plan *plan) {
    PaStreamParameters for_capture, for_playout;
    return Pa_IsFormatSupported(capture_of(&for_capture, plan), playout_of(&for_playout, plan),
                                plan->rate_hz);
}

archibald_portaudio *archibald_portaudio_open(archibald_engine *engine,
                                              archibald_playout_fn playout,
                                              archibald_capture_fn capture,
                                              const struct archibald_portaudio_plan *plan,
                                              PaError *error) {
    archibald_portaudio *shim = calloc(1, sizeof *shim);
    if (shim == NULL) {
        *error = paInsufficientMemory;
        return NULL;
    }
    PaStreamParameters for_capture, for_playout;
    const PaStreamParameters *plays = playout_of(&for_playout, plan);
    shim->engine = engine;
    shim->core_playout = playout;
    shim->core_capture = capture;
    shim->send_channels = plan->send_channels;
    shim->receive_channels = plan->receive_channels;
    shim->rate_hz = plan->rate_hz;
    shim->has_playout = plays != NULL;
    /* paClipOff: what goes beyond full scale is the device's to clip, as with the
     * other audio servers. paDitherOff: nothing is added to the sound. */
    *error = Pa_OpenStream(&shim->stream, capture_of(&for_capture, plan), plays, plan->rate_hz,
                           plan->period_frames, paClipOff | paDitherOff,
                           archibald_portaudio_process, shim);
    if (*error != paNoError) {
        free(shim);
        return NULL;
    }
    *error = Pa_StartStream(shim->stream);
    if (*error != paNoError) {
        archibald_portaudio_close(shim);
        return NULL;
    }
    return shim;
}

void archibald_portaudio_close(archibald_portaudio *shim) {
    Pa_AbortStream(shim->stream);
    Pa_CloseStream(shim->stream);
    free(shim);
}

const char *archibald_portaudio_reason(PaError error) {
    if (error == paUnanticipatedHostError) {
        const PaHostErrorInfo *info = Pa_GetLastHostErrorInfo();
        if (info != NULL && info->errorText != NULL && info->errorText[0] != 0)
            return info->errorText;
    }
    return Pa_GetErrorText(error);
}

int archibald_portaudio_runs(const archibald_portaudio *shim) {
    return Pa_IsStreamActive(shim->stream) == 1;
}

uint64_t archibald_portaudio_cycles(const archibald_portaudio *shim) {
    return atomic_load_explicit(&shim->cycles, memory_order_relaxed);
}

uint64_t archibald_portaudio_xruns(const archibald_portaudio *shim) {
    return atomic_load_explicit(&shim->xruns, memory_order_relaxed);
}

int archibald_portaudio_thread(const archibald_portaudio *shim) {
    return atomic_load_explicit(&shim->thread, memory_order_relaxed);
}

int archibald_portaudio_scheduling(int thread, int *policy, int *priority) {
#ifdef __linux__
    struct sched_param parameter;
    const int found =
        thread != 0 ? sched_getscheduler(thread) : -1; /* 0 would be the calling thread */
    if (found < 0 || sched_getparam(thread, &parameter) != 0) return -1;
    *policy = found & ~SCHED_RESET_ON_FORK;
    *priority = parameter.sched_priority;
    return 0;
#else
    (void)thread, (void)policy, (void)priority;
    return -1;
#endif
}

void archibald_portaudio_block_signals(void) {
#ifndef _WIN32
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
#endif
}
