"""Work of a job, counted as attune's own meter counts it (include/attune/models/flops.h), so that both give one number for one job: a product of
[T, k] with [k, n] is 2Tkn FLOP, and so is each of its two gradients, where something trains by it. Counted is what has to be computed: real tokens;
of the last layer below a classifier only the token that it reads, keys and values aside; of attention the pairs of tokens that see each other;
a frozen prefix once a text for all epochs and folds. Norms, activations, look-ups and the optimiser are left out. The gate same_work holds it against the meter."""
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Product:
    """A linear layer of a block. Products with one `reads` lie side by side and read the same rows; `rank` of a LoRA change is 0 without one."""
    inputs: int
    outputs: int
    reads: int
    every_token: bool = False  # also where only one token of a text is read of the block
    rank: int = 0

    @property
    def base(self):
        return 2 * self.inputs * self.outputs

    @property
    def change(self):
        return 2 * self.rank * self.inputs, 2 * self.rank * self.outputs

    @property
    def forward(self):
        return self.base + sum(self.change)

    def backward(self, trains, needs_input):
        first, second = self.change
        between = second if needs_input or self.rank else 0
        return (self.base + first if needs_input else 0) + (self.base if trains else 0) + between + first + second


def model_of(job):
    """Sizes of the job's model, and the products of a block and of the head."""
    config = json.loads((Path(job["model"]) / "config.json").read_text(encoding="utf-8"))
    size = config.get("hidden_size", config.get("n_embd"))
    inner = config.get("intermediate_size") or config.get("n_inner") or 4 * size
    ranks = {}
    if job["adapter"]:
        adapter = json.loads((Path(job["adapter"]) / "adapter_config.json").read_text(encoding="utf-8"))
        ranks = {name: adapter["r"] for name in adapter["target_modules"]}
    if config["model_type"] == "gpt2":
        names = [("c_attn", size, 3 * size, 0), ("attn.c_proj", size, size, 1), ("c_fc", size, inner, 2), ("mlp.c_proj", inner, size, 3)]
    else:
        names = [("query", size, size, 0), ("key", size, size, 0), ("value", size, size, 0), ("attention.output.dense", size, size, 1),
                 ("intermediate.dense", size, inner, 2), ("output.dense", inner, size, 3)]
    block = [Product(inputs, outputs, reads, name in ("c_attn", "key", "value"), ranks.get(name, 0)) for name, inputs, outputs, reads in names]
    classifies = job["task"] in ("classification", "evaluation")
    labels = len(config.get("id2label") or {}) or config.get("num_labels", 2)
    head = [Product(size, size, 0), Product(size, labels, 1)] if classifies else [Product(size, config["vocab_size"], 0)]
    return {"layers": config.get("num_hidden_layers", config.get("n_layer")), "size": size, "causal": config["model_type"] == "gpt2",
            "block": block, "head": head, "classifies": classifies}


def forward_of_block(model, index, lengths):
    one_token = model["classifies"] and index == model["layers"] - 1
    rows = len(lengths) if one_token else sum(lengths)
    products = sum(product.forward * (sum(lengths) if product.every_token else rows) for product in model["block"])
    return products + 4 * model["size"] * pairs(model, one_token, lengths)


def pairs(model, one_token, lengths):
    if model["causal"]:
        return sum(length * (length + 1) // 2 for length in lengths)
    return sum(lengths) if one_token else sum(length**2 for length in lengths)


def backward_of_block(model, index, lengths, trains, below):
    """`trains`: the block's own weights; `below`: something below the block trains."""
    one_token = model["classifies"] and index == model["layers"] - 1
    rows = len(lengths) if one_token else sum(lengths)
    adapted = any(product.rank for product in model["block"])
    flop = 0
    for product in model["block"]:
        needs_input = below or (product.reads > 0 and (trains or adapted))
        flop += product.backward(trains, needs_input) * (sum(lengths) if product.every_token else rows)
    return flop + 8 * model["size"] * pairs(model, one_token, lengths)


def forward_of_head(model, rows):
    return rows * sum(product.forward for product in model["head"])


def backward_of_head(model, rows, job):
    """Of an adapter the classifier trains and what lies before it does not; a language head is the frozen table of the embeddings."""
    flop = 0
    for product in model["head"]:
        trains = not job["adapter"] or (model["classifies"] and product is model["head"][-1])
        needs_input = job["trained"] != "head" or product.reads > 0
        flop += product.backward(trains, needs_input)
    return rows * flop


def work(job, texts, supervised):
    """FLOP of the whole job over rows of these token ids, of which `supervised` tokens meet the vocabulary (language models)."""
    model, lengths = model_of(job), [len(ids) for ids in texts]
    rows = len(lengths) if model["classifies"] else supervised
    layers = model["layers"]
    if job["task"] == "evaluation":
        return sum(forward_of_block(model, index, lengths) for index in range(layers)) + forward_of_head(model, rows)
    lowest = layers - {"all": layers, "head": 0}.get(job["trained"], job["trained"])
    trained = range(lowest, layers)
    different = [len(ids) for ids in {tuple(ids) for ids in texts}]
    frozen = sum(forward_of_block(model, index, different) for index in range(lowest))
    forward = sum(forward_of_block(model, index, lengths) for index in trained) + forward_of_head(model, rows)
    embeddings_train = job["trained"] == "all" and not job["adapter"]
    backward = sum(backward_of_block(model, index, lengths, trains=not job["adapter"], below=embeddings_train or index > lowest) for index in trained)
    backward += backward_of_head(model, rows, job)
    passes = job["epochs"] * max(1, job["folds"] - 1)
    held_out = forward if job["folds"] else 0
    return frozen + passes * (forward + backward) + held_out
