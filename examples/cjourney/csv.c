/* The lines and fields of a CSV text that was read whole: they are cut off where they
 * stand.  What a spreadsheet writes is read, too: a mark in front, quotes, CR LF. */
#include "program.h"

#include <string.h>

char *csv_line(char **text)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* spreadsheets put it first */
    char *line = *text;

    if (line == NULL || *line == '\0')
        return NULL;
    if (strncmp(line, mark, 3) == 0)
        line += 3;
    *text = strchr(line, '\n');
    if (*text != NULL)
        *(*text)++ = '\0';
    line[strcspn(line, "\r")] = '\0';
    return line;
}

char *csv_field(char **line)
{
    char *from = *line, *read = from, *to = from;
    int quoted = *read == '"';

    read += quoted;
    while (*read != '\0' && (quoted || *read != ',')) {
        if (quoted && *read == '"' && read[1] != '"') {
            quoted = 0;
            read++;
            continue;
        }
        read += quoted && *read == '"';
        *to++ = *read++;
    }
    *line = *read == ',' ? read + 1 : NULL;
    *to = '\0';
    return from;
}
