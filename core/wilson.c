/* Owns the arithmetic of samples. Knows nothing of tasks. */
#include "core/wilson.h"

#include <math.h>

#include "base/err.h"

#define SIZE_MOST ((int64_t)1 << 53)

/* By halving, on the side where erfc is precise. */
double normal_quantile(double p)
{
    double low = 0, high = 40, tail = p < 0.5 ? p : 1 - p;

    BUG_ON(!(p > 0 && p < 1));
    for (int i = 0; i < 200 && low < high; i++) {
        double middle = low + (high - low) / 2;
        if (erfc(middle / M_SQRT2) / 2 > tail)
            low = middle;
        else
            high = middle;
    }
    return p < 0.5 ? -high : high;
}

static double quantile_of(double confidence)
{
    BUG_ON(!(confidence > 0 && confidence < 1));
    return normal_quantile(1 - (1 - confidence) / 2);
}

static double half_width(double share, double n, double z)
{
    return z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
}

struct share wilson_interval(int64_t hits, int64_t n, double confidence)
{
    double z = quantile_of(confidence), share, middle, half;

    BUG_ON(hits < 0 || hits > n);
    if (n == 0)
        return (struct share){0, 0, 1};
    share = (double)hits / (double)n;
    middle = (share + z * z / (2 * (double)n)) / (1 + z * z / (double)n);
    half = half_width(share, (double)n, z);
    return (struct share){
        .share = share,
        .low = hits == 0 ? 0 : fmax(0, middle - half),
        .high = hits == n ? 1 : fmin(1, middle + half),
    };
}

struct acceptance acceptance_of(
    int64_t defective, int64_t inspected, double limit, double confidence)
{
    struct share defects = wilson_interval(defective, inspected, confidence);

    return (struct acceptance){defects, defects.high <= limit, defects.low > limit};
}

int64_t wilson_sample_size(double expected, double margin, double confidence, int64_t lot)
{
    double z = quantile_of(confidence);
    int64_t low = 1, high = SIZE_MOST;

    BUG_ON(!(margin > 0) || !(expected >= 0 && expected <= 1));
    while (low < high) { /* the width falls with n */
        int64_t middle = low + (high - low) / 2;
        if (half_width(expected, (double)middle, z) <= margin)
            high = middle;
        else
            low = middle + 1;
    }
    if (lot > 0) {
        double n = (double)low;
        low = (int64_t)ceil(n / (1 + (n - 1) / (double)lot));
        low = low > lot ? lot : low;
    }
    return low;
}
