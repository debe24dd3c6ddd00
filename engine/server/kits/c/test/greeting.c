#include "../src/greeting.h"

#include <stdio.h>
#include <string.h>

int main(void) {
    const struct {
        unsigned hour;
        const char *text;
    } expected[] = {{4, "Good evening"}, {5, "Good morning"}, {12, "Good afternoon"}, {18, "Good evening"}};
    int failed = 0;
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        const char *got = greeting(expected[i].hour);
        if (strcmp(got, expected[i].text) != 0) {
            printf("%u: %s, not %s\n", expected[i].hour, got, expected[i].text);
            failed = 1;
        }
    }
    return failed;
}
