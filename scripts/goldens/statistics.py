"""Goldens of paired tests, comparisons of methods, shares of variance, learning curves and resampling (module metrics), from statsmodels,
scipy, numpy and scikit-learn."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas
import scipy.optimize
import scipy.stats
import sklearn.metrics
import statsmodels.api
from statsmodels.formula.api import ols
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests


def mcnemar_case(only_first, only_second):
    table = [[40, only_first], [only_second, 7]]
    test = lambda **options: [float(value) for value in (lambda r: (r.statistic, r.pvalue))(mcnemar(table, **options))]
    return {"only_first": only_first, "only_second": only_second, "exact": test(exact=True),
            "corrected": test(exact=False, correction=True), "uncorrected": test(exact=False, correction=False)}


def correction_case(p_values):
    adjusted = {name: multipletests(p_values, method=method)[1].tolist()
                for name, method in (("bonferroni", "bonferroni"), ("holm", "holm"), ("benjamini_hochberg", "fdr_bh"))}
    return {"p_values": p_values, **adjusted}


def sign_flip_case(name, differences):
    differences = np.array(differences, float)
    test = scipy.stats.permutation_test((differences, np.zeros_like(differences)), lambda a, b, axis: np.mean(a - b, axis=axis),
                                        permutation_type="samples", vectorized=True, n_resamples=math.inf)
    return {"name": name, "differences": differences.tolist(), "statistic": float(test.statistic), "p_value": float(test.pvalue)}


def detectable_case(rows, discordance, alpha, power):
    """Connor's sample size, solved by bisection; null where even a difference of the whole discordance needs more rows."""
    z_alpha, z_power = scipy.stats.norm.ppf(1 - alpha / 2), scipy.stats.norm.ppf(power)
    needed = lambda d: (z_alpha * math.sqrt(discordance) + z_power * math.sqrt(discordance - d * d)) ** 2 / d**2
    found = None
    if needed(discordance) <= rows:
        found = scipy.optimize.brentq(lambda d: needed(d) - rows, 1e-9, discordance, xtol=1e-15, rtol=1e-14)
    return {"rows": rows, "discordance": discordance, "alpha": alpha, "power": power, "difference": found}


def paired(random):
    rounded = lambda count: [round(float(p), 4) for p in random.uniform(0, 0.2, count)]
    return {
        "mcnemar": [mcnemar_case(*pair) for pair in ((1, 0), (3, 3), (2, 9), (15, 4), (0, 12), (30, 52), (400, 470), (3000, 3300))],
        "corrections": [correction_case(p) for p in ([0.01], rounded(5), rounded(12), [0.04, 0.001, 0.04, 0.9, 0.02], [0.6, 0.7, 0.8])],
        "sign_flips": [sign_flip_case("normal", random.normal(0.3, 1, 14)), sign_flip_case("right or wrong", random.integers(-1, 2, 13)),
                       sign_flip_case("ties in tenths", np.round(random.normal(0.1, 0.3, 12), 1)), sign_flip_case("two rows", [0.5, -0.1]),
                       sign_flip_case("alike", [0.25, -0.25, 0.5, -0.5])],
        "detectable": [detectable_case(*case) for case in ((100, 0.2, 0.05, 0.8), (1000, 0.1, 0.05, 0.8), (3080, 0.05, 0.01, 0.9),
                                                           (500, 0.35, 0.05, 0.5), (20, 0.05, 0.05, 0.8))],
    }


def variance_case(name, factors, repeats, score):
    """Every combination of the levels {factor: number of levels}, `repeats` times."""
    rows = [dict(zip(factors, levels)) for levels in itertools.product(*(range(count) for count in factors.values())) for _ in range(repeats)]
    table = pandas.DataFrame(rows)
    table["score"] = [round(float(score(row)), 6) for row in rows]
    fitted = ols("score ~ " + " + ".join(f"C({factor})" for factor in factors), table).fit()
    sums = statsmodels.api.stats.anova_lm(fitted, typ=1)["sum_sq"]
    return {"name": name, "factors": list(factors), "levels": table[list(factors)].astype(str).values.tolist(), "scores": table["score"].tolist(),
            "shares": [float(sums[f"C({factor})"] / sums.sum()) for factor in factors], "remainder": float(sums["Residual"] / sums.sum())}


def variance(random):
    wording, order = random.normal(0, 0.1, 5), random.normal(0, 0.03, 3)
    noise = lambda: random.normal(0, 0.02)
    return [variance_case("wording, order and seed", {"wording": 5, "order": 3, "seed": 4}, 1,
                          lambda row: 0.7 + wording[row["wording"]] + order[row["order"]] + noise()),
            variance_case("an interaction", {"wording": 2, "labels": 2}, 3, lambda row: 0.5 + 0.1 * (row["wording"] == row["labels"]) + noise()),
            variance_case("a factor with one level", {"wording": 4, "order": 1, "examples": 2}, 1, lambda row: 0.6 + wording[row["wording"]] + noise())]


def curve_case(name, points, low=-math.inf, high=math.inf):
    """Points [labels, score, weight]; bounded nonlinear least squares from several starts."""
    labels, scores, weights = np.array(points, float).T
    residuals = lambda p: np.sqrt(weights) * (p[0] - p[1] * (labels / labels.min()) ** -math.exp(p[2]) - scores)
    bounds = ([low, -np.inf, math.log(0.01)], [high, np.inf, math.log(3)])
    starts = [[min(max(scores[-1], low + 1e-3), high - 1e-3), scores[-1] - scores[0], math.log(c)] for c in (0.02, 0.1, 0.3, 0.6, 1, 2)]
    fits = [scipy.optimize.least_squares(residuals, start, bounds=bounds, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=20000) for start in starts]
    best = min(fits, key=lambda fit: fit.cost)
    at = [10.0, 50.0, 300.0, 2000.0, 20000.0]
    return {"name": name, "points": np.array(points, float).tolist(), "low": low if math.isfinite(low) else None,
            "high": high if math.isfinite(high) else None, "error": float(2 * best.cost), "at": at,
            "values": [float(best.x[0] - best.x[1] * (n / labels.min()) ** -math.exp(best.x[2])) for n in at]}


def learning_curves(random):
    def noisy(asymptote, gap, exponent, sizes, seeds, sd):
        return [[n, round(asymptote - gap * n**-exponent + random.normal(0, sd), 5), w] for n in sizes for w in seeds]

    sizes = [16, 32, 64, 128, 256, 512, 1024]
    return [curve_case("three seeds", noisy(0.92, 2.0, 0.5, sizes, [1, 1, 1], 0.01), 0, 1),
            curve_case("weights", noisy(0.85, 1.5, 0.7, sizes, [1, 2.5], 0.03), 0, 1),
            curve_case("a loss", noisy(0.3, -8.0, 0.6, sizes, [1, 1], 0.02), 0),
            curve_case("an asymptote at the bound", [[8, 0.5, 1], [16, 0.62, 1], [32, 0.74, 1], [64, 0.86, 1], [128, 0.97, 1]], 0, 1),
            curve_case("falling scores", [[10, 0.8, 1], [20, 0.7, 1], [40, 0.66, 1], [80, 0.63, 1]], 0, 1)]


def bootstrap_interval(random, runs, others=None, resamples=20000):
    """Percentiles of the mean of runs [seeds, rows] over resampled rows and seeds; of the difference to `others` (minus these)."""
    rows = runs.shape[1]
    means = []
    for _ in range(resamples):
        drawn = random.integers(0, rows, rows)
        mean = lambda of: of[random.integers(0, len(of), len(of))][:, drawn].mean()
        means.append(mean(runs) - (mean(others) if others is not None else 0))
    return np.percentile(means, [2.5, 97.5]).tolist()


def method_pair(name, gold, first, second):
    """Differences are second - first; right[seeds, rows]."""
    right = [(method == gold).astype(float) for method in (first, second)]
    mostly = [of.mean(axis=0) > 0.5 for of in right]
    differences = right[1].mean(axis=0) - right[0].mean(axis=0)
    only = [int((mostly[0] & ~mostly[1]).sum()), int((mostly[1] & ~mostly[0]).sum())]
    by_signs = len(first) > 1 or len(second) > 1
    test = sign_flip_case(name, differences[np.abs(differences) > 1e-12])["p_value"] if by_signs else mcnemar_case(*only)["exact"][1]
    return {"pair": name, "difference": float(differences.mean()), "only_first": only[0], "only_second": only[1], "by_sign_flips": by_signs,
            "p": test, "disagreement": float((differences**2).mean())}


def methods(random):
    """Three methods on the same rows: two without chance, one of three seeds. Few rows differ, so that all sign patterns can be tried."""
    rows, classes = 90, 3
    gold = random.integers(0, classes, rows)

    def answers(wrong):
        said = gold.copy()
        said[wrong] = (said[wrong] + 1 + random.integers(0, classes - 1, len(wrong))) % classes
        return said

    predicted = {"first": [answers(np.arange(0, 9))], "second": [answers(np.arange(5, 16))],
                 "seeds": [answers(np.arange(2, 10)), answers(np.arange(4, 12)), answers(np.array([2, 3, 40, 41]))]}
    losses = {name: np.round(random.uniform(0.01, 2, (len(runs), rows)), 4) for name, runs in predicted.items()}
    runs = {name: np.array(of) for name, of in predicted.items()}
    right = {name: (of == gold).astype(float) for name, of in runs.items()}
    names = list(predicted)
    pairs = [method_pair(f"{a} and {b}", gold, runs[a], runs[b]) for a, b in itertools.combinations(names, 2)]
    for pair, holm in zip(pairs, multipletests([pair["p"] for pair in pairs], method="holm")[1]):
        pair["p_holm"] = float(holm)
        pair["detectable"] = detectable_case(rows, pair["disagreement"], 0.05 / len(pairs), 0.8)["difference"]
    mostly = np.array([right[name].mean(axis=0) > 0.5 for name in names])
    scores = [{"accuracy": float(right[name].mean()), "interval": bootstrap_interval(random, right[name]),
               "f1_macro": float(np.mean([sklearn.metrics.f1_score(gold, run, average="macro") for run in runs[name]])),
               "loss": float(losses[name].mean()), "alone": np.flatnonzero(mostly[i] & (mostly.sum(axis=0) == 1)).tolist()}
              for i, name in enumerate(names)]
    for pair, (a, b) in zip(pairs, itertools.combinations(names, 2)):
        pair["interval"] = bootstrap_interval(random, right[b], right[a])
    return [{"name": "three methods", "gold": gold.tolist(), "classes": classes, "pairs": pairs, "scores": scores,
             "methods": [{"predicted": runs[name].tolist(), "losses": losses[name].tolist()} for name in names]}]


def flip_rates(predicted):
    """[variants, rows]: Gini's index of the answers, as an unbiased estimate."""
    variants = len(predicted)
    shares = [np.unique(column, return_counts=True)[1] / variants for column in np.array(predicted).T]
    return [float((1 - (share**2).sum()) * variants / (variants - 1)) for share in shares]


def resampled(random):
    """Weighted means of grouped rows, accuracy and macro F1 of three classes: percentiles of numpy's draws. And bands of a
    learning curve over its seeds, each draw fitted by scipy."""
    rows = 60
    groups, weights = np.repeat(np.arange(20), 3), 1.0 + np.arange(rows) % 4
    values = np.round(np.repeat(random.normal(0, 1, 20), 3) + random.normal(0, 0.5, rows), 4)
    gold = random.integers(0, 3, rows)
    predicted = np.where(random.uniform(size=rows) < 0.7, gold, random.integers(0, 3, rows))
    means, accuracies, f1s = [], [], []
    for _ in range(20000):
        drawn = (random.integers(0, 20, 20)[:, None] * 3 + np.arange(3)).ravel()
        means.append(np.average(values[drawn], weights=weights[drawn]))
        drawn = random.integers(0, rows, rows)
        accuracies.append((gold[drawn] == predicted[drawn]).mean())
        f1s.append(sklearn.metrics.f1_score(gold[drawn], predicted[drawn], average="macro", labels=[0, 1, 2], zero_division=0))
    interval = lambda of, level=95: np.percentile(of, [(100 - level) / 2, (100 + level) / 2]).tolist()
    predictions = random.integers(0, 3, (7, 12))
    return {"groups": groups.tolist(), "weights": weights.tolist(), "values": values.tolist(),
            "mean": {"value": float(np.average(values, weights=weights)), "95": interval(means), "80": interval(means, 80)},
            "gold": gold.tolist(), "predicted": predicted.tolist(), "accuracy": interval(accuracies), "f1_macro": interval(f1s),
            "flips": {"predicted": predictions.tolist(), "rates": flip_rates(predictions)}, "band": band(random)}


def band(random, resamples=4000):
    """Percentiles over seeds drawn with replacement: of the law at some numbers of labels, and of what more would bring."""
    sizes, seeds = np.array([8.0, 16, 32, 64, 128]), 6
    scores = np.round(0.9 - 1.4 * sizes**-0.7 + random.normal(0, 0.02, (seeds, 1)) + random.normal(0, 0.01, (seeds, 5)), 5)
    law = lambda p, n: p[0] - p[1] * (n / sizes[0]) ** -math.exp(p[2])
    bounds = ([0, -np.inf, math.log(0.01)], [1, np.inf, math.log(3)])
    starts = [[0.9, 0.3, math.log(c)] for c in (0.1, 0.4, 0.8, 1.6)]

    def fit(means):
        fits = [scipy.optimize.least_squares(lambda p: law(p, sizes) - means, start, bounds=bounds) for start in starts]
        return min(fits, key=lambda one: one.cost).x

    laws = [fit(scores[random.integers(0, seeds, seeds)].mean(axis=0)) for _ in range(resamples)]
    clipped = lambda n: np.clip([law(p, n) for p in laws], 0, 1)
    at = [8.0, 40.0, 128.0]
    percentiles = lambda of: np.percentile(of, [2.5, 97.5]).tolist()
    return {"points": [[float(n), float(scores[seed][i]), seed] for seed in range(seeds) for i, n in enumerate(sizes)], "at": at,
            "intervals": [percentiles(clipped(n)) for n in at], "gain": percentiles(clipped(228.0) - clipped(128.0))}


def write(folder: Path):
    random = np.random.default_rng(20261130)
    cases = {"paired": paired(random), "variance": variance(random), "learning_curve": learning_curves(random),
             "methods": methods(np.random.default_rng(20261201)), "resampled": resampled(np.random.default_rng(20261202))}
    for name, case in cases.items():
        text = json.dumps(case, ensure_ascii=False, allow_nan=False)
        (folder / f"{name}.json").write_text(text.replace('{"name"', '\n{"name"') + "\n", encoding="utf-8")
