/* Expands rules by libical: one case a line in (rule, start, end, most), one line of starts out. */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    char line[4096];
    icalerror_set_errors_are_fatal(0);
    while (fgets(line, sizeof line, stdin)) {
        char *rule = strtok(line, " \n"), *start = strtok(NULL, " \n"), *end = strtok(NULL, " \n"), *most = strtok(NULL, " \n");
        if (!most) {
            puts("!bad case");
            fflush(stdout);
            continue;
        }
        struct icalrecurrencetype r = icalrecurrencetype_from_string(rule);
        icalrecur_iterator *it = r.freq == ICAL_NO_RECURRENCE ? NULL : icalrecur_iterator_new(r, icaltime_from_string(start));
        if (!it) {
            puts("!refused");
            fflush(stdout);
            continue;
        }
        struct icaltimetype last = icaltime_from_string(end);
        for (int left = atoi(most); left > 0; left--) {
            struct icaltimetype t = icalrecur_iterator_next(it);
            if (icaltime_is_null_time(t) || icaltime_compare(t, last) >= 0)
                break;
            printf("%04d%02d%02d", t.year, t.month, t.day);
            if (!t.is_date)
                printf("T%02d%02d%02d", t.hour, t.minute, t.second);
            putchar(' ');
        }
        icalrecur_iterator_free(it);
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}
