// What needs no host, so that test/greeting.c can test it on this machine.
#pragma once

// The greeting of an hour, 0 to 23.
static inline const char *greeting(unsigned hour) {
    if (hour >= 5 && hour < 12) return "Good morning";
    if (hour >= 12 && hour < 18) return "Good afternoon";
    return "Good evening";
}
