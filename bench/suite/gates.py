"""What makes a comparison valid: both sides were given the same tokens, took the same steps over the same trained parameters from the same
start, and ended equally well. A gate is {"name", "passed", "attune", "peer"}; a figure whose gates do not all pass is none."""
import hashlib
import statistics

LOSS = {"fp32": 1e-5, "bf16": 1e-2}  # relative difference of the first loss; bf16 where fp32 is meant gave 4e-5, as it should be 4e-8
NORM = {"fp32": 1e-2, "bf16": 5e-2}  # of the first gradient norm
ACCURACY = 0.005  # difference that two runs may always have, beside the noise of seeds
ONE_SEED = 0.03  # instead of it, where a single seed tells nothing of that noise


def gate(name, passed, attune, peer, **more):
    return {"name": name, "passed": bool(passed), "attune": attune, "peer": peer, **more}


def digest(rows):
    """How many rows and tokens, how many of them are learned, and a hash of all ids and marks."""
    text = hashlib.sha256()
    for ids, learned in rows:
        text.update(" ".join(f"{token}{'*' if mark else ''}" for token, mark in zip(ids, learned or [False] * len(ids))).encode() + b"\n")
    return {"rows": len(rows), "tokens": sum(len(ids) for ids, _ in rows), "learned": sum(sum(learned) for _, learned in rows if learned),
            "sha256": text.hexdigest()[:16]}


def same_tokens(ours, theirs):
    return gate("same token ids", digest(ours) == digest(theirs), digest(ours), digest(theirs))


def relative(one, other):
    return abs(one - other) / max(abs(other), 1e-12)


def same_start(ours, theirs, precision, peer):
    """One step over one batch that is the whole data, without dropout: order and chance play no part."""
    loss, norm = ours["losses"][0], ours["grad_norms"][0]
    their_loss, their_norm = theirs["losses"][0], theirs["grad_norms"][0]
    return [gate(f"first loss ({peer})", relative(loss, their_loss) <= LOSS[precision], loss, their_loss, difference=relative(loss, their_loss)),
            gate(f"gradient norm ({peer})", norm > 0 and their_norm > 0 and relative(norm, their_norm) <= NORM[precision], norm, their_norm,
                 difference=relative(norm, their_norm)),
            gate(f"trained parameters ({peer})", ours["trained"] == theirs["trained"], ours["trained"], theirs["trained"])]


def same_amounts(rounds, peer, supervised, steps_may_differ=0):
    """Steps, tokens and supervised tokens of every round. Packed peers may need a few steps more or less for the same tokens."""
    found = []
    for key in ("steps", "tokens", "supervised"):
        mine = [supervised if key == "supervised" else turn["attune"].get(key) for turn in rounds]
        theirs = [turn[peer].get(key) for turn in rounds]
        if None not in mine + theirs:
            allowed = steps_may_differ if key == "steps" else 0
            found.append(gate(f"{key} ({peer})", all(abs(a - b) <= allowed * b for a, b in zip(mine, theirs)), mine[0], theirs[0]))
    return found


def same_accuracy(rounds, peer, rows, no_worse=False):
    """Means over the rounds' seeds differ by no more than three standard errors and half a point; a single pair also by what so few rows (of
    which each side gets others right) leave open. `no_worse`: only attune may not fall behind, where the peer computes something else: another
    method, or frozen layers with dropout."""
    mine, theirs = ([turn[side]["accuracy"] for turn in rounds] for side in ("attune", peer))
    lead, level = statistics.mean(theirs) - statistics.mean(mine), statistics.mean(mine + theirs)
    difference = lead if no_worse else abs(lead)
    allowed = ONE_SEED + 2 * (2 * level * (1 - level) / rows) ** 0.5
    if len(rounds) > 1:
        allowed = ACCURACY + 3 * ((statistics.variance(mine) + statistics.variance(theirs)) / len(rounds)) ** 0.5
    return gate(f"accuracy ({peer})", difference <= allowed, mine, theirs, difference=difference, allowed=allowed)


def same_work(work, rounds):
    """The FLOP of flops.py and those of attune's own meter."""
    metered = [turn["attune"]["flop"] for turn in rounds]
    return gate("work as attune's meter has it", all(relative(flop, work) <= 1e-9 for flop in metered), metered[0], work)


def is_valid(gates):
    return bool(gates) and all(found["passed"] for found in gates)
