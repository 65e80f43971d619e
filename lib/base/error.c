/* The calling thread's last error: code names, one line of text, a position.  The text
 * is the library's only variable that is not in a handle or on a stack. */
#include "base/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_BYTES 101 /* 100 characters and the NUL: a line of a log */

static _Thread_local struct {
    char text[ERROR_BYTES];
    int has_position;
    int64_t position;
} error_last;

static const struct {
    int32_t code;
    const char *name;
} error_names[] = {
    {CJ_OK,         "CJ_OK"        },
    {CJ_EINVAL,     "CJ_EINVAL"    },
    {CJ_ENOMEM,     "CJ_ENOMEM"    },
    {CJ_EIO,        "CJ_EIO"       },
    {CJ_EBUSY,      "CJ_EBUSY"     },
    {CJ_ECORRUPT,   "CJ_ECORRUPT"  },
    {CJ_EVERSION,   "CJ_EVERSION"  },
    {CJ_ENOTFOUND,  "CJ_ENOTFOUND" },
    {CJ_EEXISTS,    "CJ_EEXISTS"   },
    {CJ_EFORK,      "CJ_EFORK"     },
    {CJ_EMISUSE,    "CJ_EMISUSE"   },
    {CJ_EINTERRUPT, "CJ_EINTERRUPT"},
    {CJ_ECURRENCY,  "CJ_ECURRENCY" },
    {CJ_EREJECT,    "CJ_EREJECT"   },
    {CJ_ELIMIT,     "CJ_ELIMIT"    },
    {CJ_EREADONLY,  "CJ_EREADONLY" },
    {CJ_ELOCK,      "CJ_ELOCK"     },
};

/* vsnprintf may have cut a character in two, and a %s may have brought a newline. */
static void error_tidy(char *text, int was_cut)
{
    size_t n = strlen(text);

    if (was_cut) {
        while (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
            n--;
        if (n > 0 && (unsigned char)text[n - 1] >= 0xC0)
            n--;
        text[n] = '\0';
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            text[i] = ' ';
    }
}

/* The arguments may point into the old text, so the new one is made beside it. */
static int32_t CJ__PRINTF(2, 0)
    error_set(int32_t code, const char *format, va_list arguments)
{
    char text[ERROR_BYTES];
    int n = vsnprintf(text, sizeof text, format, arguments);

    if (n < 0)
        text[0] = '\0';
    error_tidy(text, n >= ERROR_BYTES);
    memcpy(error_last.text, text, sizeof text);
    return code;
}

int32_t cj__fail(int32_t code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    error_set(code, format, arguments);
    va_end(arguments);
    error_last.has_position = 0;
    return code;
}

int32_t cj__fail_at(int64_t position, int32_t code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    error_set(code, format, arguments);
    va_end(arguments);
    error_last.has_position = 1;
    error_last.position = position;
    return code;
}

int32_t cj__fail_nomem(void)
{
    return cj__fail(CJ_ENOMEM, "out of memory");
}

void cj__error_clear(void)
{
    error_last.text[0] = '\0';
    error_last.has_position = 0;
}

const char *cj__error_text(void)
{
    return error_last.text;
}

int64_t cj__error_position(void)
{
    return error_last.has_position ? error_last.position : -1;
}

const char *cj__error_name(int32_t code)
{
    for (size_t i = 0; i < sizeof error_names / sizeof error_names[0]; i++) {
        if (error_names[i].code == code)
            return error_names[i].name;
    }
    return "CJ_E?";
}
