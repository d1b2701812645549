/* libjack's own messages, kept off the terminal and handed to Go. */
#ifndef ARCHIBALD_JACK_ERRORS_H
#define ARCHIBALD_JACK_ERRORS_H

#include <stddef.h>
#include <stdint.h>

/* Takes over libjack's error and info output, for the whole process. */
void archibald_jack_silence(void);

/* Each thread keeps the first message libjack gives it after forget: the first
 * is the cause, the later ones are its consequences. */
void archibald_jack_forget_error(void);
void archibald_jack_first_error(char *message, size_t size);

/* Takes the oldest message that nobody has taken, of any thread of libjack: 0 where there
 * is none. For one caller at a time. Messages that come while too many wait are dropped. */
int archibald_jack_take_message(char *message, size_t size);

/* How often libjack deleted this process's clients by itself. It does so
 * inside jack_client_open when it has seen the server die while clients were
 * still open; their handles are then freed memory. */
uint32_t archibald_jack_cleanups(void);

#endif
