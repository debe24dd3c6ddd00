// The contract by hand, after the canonical ABI of the component model: no library, no generator. Host calls that the
// plugin uses further are declared in the same way from wit/deps; what is never called is not imported.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A text in UTF-8, without a zero at its end.
typedef struct {
    const char *at;
    size_t length;
} text;

#define TEXT(literal) ((text){(literal), sizeof(literal) - 1})

static inline text text_of(const char *zero_ended) {
    size_t length = 0;
    while (zero_ended[length] != 0) length++;
    return (text){zero_ended, length};
}

static inline bool same(text a, text b) {
    if (a.length != b.length) return false;
    for (size_t i = 0; i < a.length; i++)
        if (a.at[i] != b.at[i]) return false;
    return true;
}

// --- Memory: a step is short and its instance is its own, so nothing is given back. -----------------------------

extern unsigned char __heap_base;

static uintptr_t heap;

static void *allocate(size_t align, size_t length) {
    if (heap == 0) heap = (uintptr_t)&__heap_base;
    const size_t page = 65536;
    uintptr_t begin = (heap + align - 1) & ~(uintptr_t)(align - 1);
    uintptr_t end = begin + length;
    uintptr_t there = (uintptr_t)__builtin_wasm_memory_size(0) * page;
    if (end < begin || (end > there && __builtin_wasm_memory_grow(0, (end - there + page - 1) / page) == SIZE_MAX))
        __builtin_trap();
    heap = end;
    return (void *)begin;
}

// The host asks for room for texts by this.
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_length, size_t align,
                                                                size_t length) {
    void *place = allocate(align, length);
    if (old_length > 0) __builtin_memcpy(place, old, old_length < length ? old_length : length);
    return place;
}

// Several texts as one.
static text join(const text *parts, size_t count) {
    size_t length = 0;
    for (size_t i = 0; i < count; i++) length += parts[i].length;
    char *place = allocate(1, length);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        __builtin_memcpy(place + at, parts[i].at, parts[i].length);
        at += parts[i].length;
    }
    return (text){place, length};
}

#define JOIN(...) join((const text[]){__VA_ARGS__}, sizeof((const text[]){__VA_ARGS__}) / sizeof(text))

// --- JSON: as much as a flat input needs. The engine has checked it against the description. --------------------

static size_t blank(text json, size_t at) {
    while (at < json.length && (json.at[at] == ' ' || json.at[at] == '\n' || json.at[at] == '\t' || json.at[at] == '\r'))
        at++;
    return at;
}

// Behind the string that begins at `at`.
static size_t behind_string(text json, size_t at) {
    for (at++; at < json.length && json.at[at] != '"'; at++)
        if (json.at[at] == '\\') at++;
    return at + 1;
}

// Behind the value that begins at `at`.
static size_t behind_value(text json, size_t at) {
    for (unsigned depth = 0; at < json.length; at++) {
        char here = json.at[at];
        if (here == '"') {
            at = behind_string(json, at) - 1;
        } else if (here == '{' || here == '[') {
            depth++;
        } else if (here == '}' || here == ']') {
            if (depth == 0) return at;
            depth--;
        } else if (here == ',' && depth == 0) {
            return at;
        }
    }
    return at;
}

static unsigned hex(const char *at) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char digit = at[i] | 0x20;
        value = value * 16 + (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    return value;
}

// The text of a JSON string, which begins and ends with a quote.
static text unquoted(text quoted) {
    char *place = allocate(1, quoted.length);
    size_t length = 0;
    for (size_t at = 1; at + 1 < quoted.length; at++) {
        char here = quoted.at[at];
        if (here != '\\') {
            place[length++] = here;
            continue;
        }
        here = quoted.at[++at];
        if (here != 'u') {
            place[length++] = here == 'n' ? '\n' : here == 't' ? '\t' : here == 'r' ? '\r'
                            : here == 'b' ? '\b' : here == 'f' ? '\f' : here;
            continue;
        }
        unsigned point = hex(quoted.at + at + 1);
        at += 4;
        if (point >= 0xd800 && point < 0xdc00) {
            point = 0x10000 + ((point - 0xd800) << 10) + (hex(quoted.at + at + 3) - 0xdc00);
            at += 6;
        }
        if (point < 0x80) {
            place[length++] = (char)point;
        } else if (point < 0x800) {
            place[length++] = (char)(0xc0 | point >> 6);
            place[length++] = (char)(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            place[length++] = (char)(0xe0 | point >> 12);
            place[length++] = (char)(0x80 | (point >> 6 & 0x3f));
            place[length++] = (char)(0x80 | (point & 0x3f));
        } else {
            place[length++] = (char)(0xf0 | point >> 18);
            place[length++] = (char)(0x80 | (point >> 12 & 0x3f));
            place[length++] = (char)(0x80 | (point >> 6 & 0x3f));
            place[length++] = (char)(0x80 | (point & 0x3f));
        }
    }
    return (text){place, length};
}

// The field of that name, if it is there and a text; else `otherwise`.
static text json_text(text json, text name, text otherwise) {
    size_t at = blank(json, 0) + 1;
    while ((at = blank(json, at)) < json.length && json.at[at] == '"') {
        size_t end = behind_string(json, at);
        text key = unquoted((text){json.at + at, end - at});
        at = blank(json, blank(json, end) + 1);
        end = behind_value(json, at);
        if (same(key, name) && at < json.length && json.at[at] == '"')
            return unquoted((text){json.at + at, behind_string(json, at) - at});
        at = end + 1;
    }
    return otherwise;
}

// A text as a JSON string.
static text json_quote(text plain) {
    static const char digits[] = "0123456789abcdef";
    char *place = allocate(1, plain.length * 6 + 2);
    size_t length = 0;
    place[length++] = '"';
    for (size_t i = 0; i < plain.length; i++) {
        char here = plain.at[i];
        if (here == '"' || here == '\\') {
            place[length++] = '\\';
            place[length++] = here;
        } else if ((unsigned char)here < 0x20) {
            const char escape[] = {'\\', 'u', '0', '0', digits[here >> 4 & 15], digits[here & 15]};
            __builtin_memcpy(place + length, escape, sizeof escape);
            length += sizeof escape;
        } else {
            place[length++] = here;
        }
    }
    place[length++] = '"';
    return (text){place, length};
}

// --- What a step answers. ---------------------------------------------------------------------------------------

// `result<outcome, failure>` of strowger:step/guest, as it lies in memory.
typedef struct {
    uint8_t is_failure;
    text name_or_code;
    text data_or_message;
    uint8_t retryable;
} answer;

static answer outcome(text name, text data) {
    return (answer){0, name, data, 0};
}

static answer failed(text code, text message, bool retryable) {
    return (answer){1, code, message, retryable};
}

// --- Host calls. `error` of strowger:types: which case, and its text where the case has one. ---------------------

typedef struct {
    uint32_t which;
    text detail;
} refusal;

// The failure that a refused host call becomes, with the case's name as its code.
static answer refused(refusal error) {
    static const text cases[] = {TEXT("denied"), TEXT("hangup"), TEXT("timeout"), TEXT("cancelled"), TEXT("interrupted"),
                                 TEXT("invalid-argument"), TEXT("limit"), TEXT("unavailable"), TEXT("failed")};
    text code = cases[error.which];
    bool has_text = error.which == 0 || error.which >= 5;
    return failed(code, has_text ? error.detail : code, error.which == 2 || error.which == 7);
}

__attribute__((import_module("strowger:env/env@1.0.0"), import_name("local-time"))) extern void host_local_time(
    const char *zone, size_t zone_length, void *result);

// Which hour the clocks show in a time zone.
static bool local_hour(text zone, unsigned *hour, refusal *error) {
    struct {
        uint8_t is_error;
        union {
            struct {
                int32_t year;
                uint8_t month, day, weekday, hour, minute, second;
            } ok;
            struct {
                uint8_t which;
                text detail;
            } error;
        };
    } result;
    host_local_time(zone.at, zone.length, &result);
    if (result.is_error) {
        *error = (refusal){result.error.which, result.error.detail};
        return false;
    }
    *hour = result.ok.hour;
    return true;
}

// One part of what is said; this kit uses the prompts that a flow gives.
typedef struct {
    uint8_t which;
    union {
        text given;
        uint32_t room[7];
    };
} prompt;

// A JSON value for a name that a prompt leaves open.
typedef struct {
    text name;
    uint8_t which;
    text value;
} binding;

__attribute__((import_module("strowger:media/media@1.0.0"), import_name("say"))) extern void host_say(
    const prompt *prompts, size_t prompt_count, const binding *bindings, size_t binding_count, int32_t barge_in,
    void *result);

// Says a prompt that the flow gave, with one name bound to a JSON value, and waits until it is said.
static bool say_given(text handle, text name, text json, refusal *error) {
    struct {
        uint8_t is_error;
        struct {
            uint8_t which;
            text detail;
        } error;
    } result;
    prompt said = {.which = 0, .given = handle};
    binding bound = {name, 0, json};
    host_say(&said, 1, &bound, 1, true, &result);
    if (!result.is_error) return true;
    *error = (refusal){result.error.which, result.error.detail};
    return false;
}

// --- What the engine calls. The plugin defines the two functions. ------------------------------------------------

static answer run(text step, text input);
static text describe(void);

__attribute__((export_name("strowger:step/guest@1.0.0#describe"))) const text *exported_describe(void) {
    static text result;
    result = describe();
    return &result;
}

__attribute__((export_name("strowger:step/guest@1.0.0#run"))) const answer *exported_run(
    const char *step, size_t step_length, const char *input, size_t input_length) {
    static answer result;
    result = run((text){step, step_length}, (text){input, input_length});
    return &result;
}
