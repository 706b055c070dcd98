/*
 * timers.h: what a session does by itself: its game's timer, its end when it was paused for too
 * long, and writing out under sync=interval.
 * Armed only while there is something due, so that a session at rest never wakes.
 */
#ifndef WORKER_TIMERS_H
#define WORKER_TIMERS_H

struct timers;
struct worker;

/* NULL without memory. */
struct timers *timers_new(struct worker *);
void	timers_free(struct timers *);

/* Looks again at what is due, after every change. */
void	timers_arm(struct timers *);

#endif
