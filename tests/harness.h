/* What every Check suite here shares: one binary per file, one main per binary. */
#ifndef CJ_TESTS_HARNESS_H
#define CJ_TESTS_HARNESS_H

#include <check.h>
#include <stdlib.h>

/* Steps of a long loop: 1, or more where CJ_TEST_SPARSE asks for a sample (a checker that
 * slows everything down by fifty).  Odd, so that alternations go on alternating. */
__attribute__((unused)) static int harness_stride(int sparse)
{
    return getenv("CJ_TEST_SPARSE") != NULL ? sparse | 1 : 1;
}

static int harness_run(const char *name, const TTest *const *tests, size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 300);
    for (size_t i = 0; i < n; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The last lines of a test file: HARNESS_MAIN("base_text", test_a, test_b) */
#define HARNESS_MAIN(name, ...)                                          \
    int main(void)                                                       \
    {                                                                    \
        const TTest *const list[] = {__VA_ARGS__};                       \
        return harness_run(name, list, sizeof list / sizeof list[0]);    \
    }

#endif
