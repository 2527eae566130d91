"""Work of a job by the usual count: a product of [T, k] with [k, n] is 2Tkn FLOP, a backward pass costs twice its forward, once where the
weights are frozen and only their input's gradient is needed. Real tokens only; norms, activations and the optimiser are left out."""
import json
from pathlib import Path


def shape(model):
    config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
    size = config.get("hidden_size", config.get("n_embd"))
    return {"layers": config.get("num_hidden_layers", config.get("n_layer")), "size": size,
            "inner": config.get("intermediate_size") or config.get("n_inner") or 4 * size, "vocabulary": config["vocab_size"]}


def trained_layers(job, layers):
    return {"all": layers, "head": 0}.get(job["trained"], job["trained"])


def forward_of_layer(dimensions, lengths):
    """FLOP of one layer over texts of these lengths: four square products, two with the inner size, and attention."""
    size, tokens = dimensions["size"], sum(lengths)
    return 2 * tokens * (4 * size**2 + 2 * size * dimensions["inner"]) + 4 * size * sum(length**2 for length in lengths)


def work(job, lengths, supervised):
    """FLOP of the whole job over rows of these lengths, of which `supervised` tokens meet the vocabulary (language models).

    A frozen prefix counts once for all epochs and folds: more need not be computed."""
    dimensions = shape(job["model"])
    layer = forward_of_layer(dimensions, lengths)
    head = 2 * dimensions["size"] * dimensions["vocabulary"] * supervised if job["task"] in ("sft", "text") else 0
    if job["task"] == "evaluation":
        return dimensions["layers"] * layer + head
    trained = trained_layers(job, dimensions["layers"])
    passes = job["epochs"] * (max(1, job["folds"] - 1))
    per_pass = (2 if job["adapter"] else 3) * (trained * layer + head)
    held_out = trained * layer if job["folds"] else 0
    return (dimensions["layers"] - trained) * layer + passes * per_pass + held_out
