// The steps of the plugin. What `describe` answers is description.json; the build writes it to build/description.h.
#include "strowger.h"

#include "../build/description.h"
#include "greeting.h"

static answer greet(text input) {
    unsigned hour;
    refusal error;
    if (!local_hour(json_text(input, TEXT("zone"), TEXT("UTC")), &hour, &error)) return refused(error);
    text words = json_quote(text_of(greeting(hour)));
    if (!say_given(json_text(input, TEXT("prompt"), TEXT("")), TEXT("greeting"), words, &error)) return refused(error);
    return outcome(TEXT("greeted"), JOIN(TEXT("{\"greeting\":"), words, TEXT("}")));
}

static answer run(text step, text input) {
    if (same(step, TEXT("greet"))) return greet(input);
    return failed(TEXT("unknown-step"), JOIN(TEXT("this plugin has no step "), step), false);
}

static text describe(void) {
    return TEXT(DESCRIPTION);
}
