/* NBD against itself told in other ways: differences for derivatives, sums of its own
 * probabilities, and what follows from (x, T) being all that is known. */
#include "clv_likelihood.h"

#include "harness.h"

#include <math.h>

static const double thetas[][2] = {
    {.3848, 12.072},
    {1,     1     },
    {25,    .5    },
    {1e-4,  300   },
    {1e5,   1e5   }
};
enum { N_THETAS = sizeof thetas / sizeof thetas[0] };

START_TEST(test_nbd__derivatives)
{
    const double x[5] = {0, 1, 7, 100, 3}, tx[5] = {0, 2, 30, 38, 10};
    const double t[5] = {39, 39, 31, 38.86, 10};
    const cj__clv_rows rows = {x, tx, t, NULL, 5};

    for (int i = 0; i < 4; i++)
        clv_check_derivatives(&cj__clv_nbd, thetas[i], &rows, 1e-6);
}
END_TEST

/* P(X(T) = x) is the likelihood times T^x / x!. */
START_TEST(test_nbd__likelihood_and_pmf_are_one)
{
    for (int i = 0; i < N_THETAS; i++) {
        for (int n = 0; n < 300; n += n < 10 ? 1 : 29) {
            const clv_customer who = {n, n > 0 ? 1 : 0, 20, 0};
            const cj__clv_at at = {
                .model = &cj__clv_nbd, .theta = {thetas[i][0], thetas[i][1]}
            };
            const double p = cj__clv_nbd.pmf_new(&at, 0, 20, n);
            const double likelihood = clv_loglik(&cj__clv_nbd, thetas[i], who);

            ck_assert_double_eq_tol(exp(likelihood + n * log(20) - lgamma(n + 1)), p,
                                    1e-8 * p + 1e-300);
        }
    }
}
END_TEST

static double ask_one(int32_t (*question)(const cj__clv_ask *, double *),
                      const double *theta, clv_customer who, cj__clv_ask ask)
{
    return clv_answer(question, &cj__clv_nbd, theta, who, ask);
}

START_TEST(test_nbd__probabilities_sum_to_one_and_to_the_mean)
{
    const clv_customer who = {3, 20, 39, 0};

    for (int i = 0; i < 4; i++) {
        cj__clv_ask ask = {.from = 2, .until = 12};
        double sum = 0, mean = 0;

        for (ask.n_purchases = 0; ask.n_purchases < 4000; ask.n_purchases++) {
            const double p = ask_one(cj__clv_nbd.pmf, thetas[i], who, ask);

            sum += p;
            mean += p * (double)ask.n_purchases;
        }
        ck_assert_close(sum, 1, 1e-10);
        ck_assert_close(mean, ask_one(cj__clv_nbd.expected, thetas[i], who, ask), 1e-9);
    }
}
END_TEST

START_TEST(test_nbd__what_follows)
{
    const clv_customer who = {3, 20, 39, 0}, nobody = {0, 0, 0, 0};
    const double *theta = thetas[0];
    const cj__clv_ask ask = {.until = 10, .delta = .01}, none = {.from = 5, .until = 5};
    const double rate = (theta[0] + 3) / (theta[1] + 39);

    ck_assert(ask_one(cj__clv_nbd.p_alive, theta, who, ask) == 1);
    ck_assert_close(ask_one(cj__clv_nbd.expected, theta, who, ask), 10 * rate, 1e-15);
    ck_assert_close(ask_one(cj__clv_nbd.dert, theta, who, ask), rate / .01, 1e-15);
    ck_assert_close(ask_one(cj__clv_nbd.expected, theta, nobody, ask),
                    10 * theta[0] / theta[1], 1e-15);
    ck_assert(ask_one(cj__clv_nbd.expected, theta, who, none) == 0);
    ck_assert(ask_one(cj__clv_nbd.pmf, theta, who, none) == 1);
}
END_TEST

HARNESS_MAIN("metrics_clv_nbd", test_nbd__derivatives,
             test_nbd__likelihood_and_pmf_are_one,
             test_nbd__probabilities_sum_to_one_and_to_the_mean, test_nbd__what_follows)
