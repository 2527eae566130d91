"""The cases as a table: what is trained, by which job, against which peers, and what the project wants to reach.

Floors are bounds on figures: `default` and `tuned` are least ratios (how many times as fast as the peer as it comes, and at its best of the
listed settings), `memory` is the largest share of the default peer's peak memory, `seconds` the largest own time, `share` the least share of the measured
matrix rate, `folds_over_one` the largest multiple of one fold's time, `sklearn` a least ratio. Rows in bf16 are held to them where the CPU has AMX."""
from dataclasses import dataclass, field

GROUPED = {"grouped": True}
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_TOP_PAD_": "67108864", "THP_MEM_ALLOC_ENABLE": "1"}
TUNINGS = {  # the settings among which the peer's best are looked for; fused AdamW and sdpa are Transformers' defaults
    "grouped": GROUPED,
    "grouped, eager attention": {**GROUPED, "attention": "eager"},
    "grouped, allocator": {**GROUPED, "environment": ALLOCATOR},
    "grouped, bf16": {**GROUPED, "bf16": True},
    "plain Trainer": {**GROUPED, "plain": True},
    "plain Trainer, allocator": {**GROUPED, "plain": True, "environment": ALLOCATOR},
    "whole model in bf16": {**GROUPED, "whole": True},
}
TRAINING, EVALUATION = ("grouped", "grouped, eager attention", "grouped, allocator"), ("grouped", "grouped, allocator", "whole model in bf16")

LANGUAGE = ("plain Trainer", "grouped", "plain Trainer, allocator")


@dataclass(frozen=True)
class Case:
    name: str
    about: str
    unit: str
    material: str  # a kind of material.py
    settings: dict  # of the material
    job: dict
    kind: str = "training"  # which function of measure.py
    quick: dict = field(default_factory=dict)  # settings of the material in quick mode,
    quick_job: dict = field(default_factory=dict)  # and of the job
    tunings: tuple = TRAINING
    compile: bool = False
    packed: bool = False
    to_the_end: bool = False  # trained until accuracy can be compared
    floors: dict = field(default_factory=dict)

    @property
    def precision(self):
        return "bf16" if self.job.get("bf16") else "fp32"


MINILM = "all-MiniLM-L6-v2 on banking77, batch 32, dropout 0.1"
BANKING, QUICK = {"rows": 2560}, {"rows": 160}
FEW = {"rows": 12, "batch": 4, "max_length": 96}
SHORT, TWO_FOLDS = {"epochs": 1}, {"epochs": 1, "folds": 2}
HEAD_LAYER = {"trained": 1, "epochs": 5, "rate": 1e-3}
LORA_ABOUT = "LoRA (r 8, query and value) for classification, BERT-base shape with random weights, texts of 20 to 60 tokens, batch 32"
CAUSAL_ABOUT = "causal language model, GPT-2 shape of 6 layers with random weights, instructions of at most 256 tokens, loss on answers, batch 16"
FEW_EXAMPLES_FLOOR = 5.0  # times as fast as SetFit
BF16 = {"bf16": True}


def with_bf16(name, about, fp32_floors, bf16_floors, **case):
    """The same case in both precisions."""
    job = case.pop("job")
    return [Case(name + "_fp32", about + ", fp32", job=job, floors=fp32_floors, **case),
            Case(name + "_bf16", about + ", bf16", job={**job, **BF16}, floors=bf16_floors, **case)]


CASES = {case.name: case for case in [
    Case("start", f"from the start of the process to the end of the first optimiser step, {MINILM}", "s to the first step", "banking", BANKING,
         {"max_steps": 1}, quick=QUICK, tunings=(), floors={"default": 8, "seconds": 0.45, "memory": 0.4}),
    *with_bf16("full", f"full fine-tuning, {MINILM}, one epoch of 2,560 rows", {"default": 3.2, "tuned": 1.8, "share": 0.60}, {"default": 5, "tuned": 3, "share": 0.22},
               unit="tokens/s", material="banking", settings=BANKING, quick=QUICK, job={}, compile=True),
    Case("time_to_accuracy", f"until a model with a test accuracy of at least 0.92 is saved and scored, everything included, {MINILM}: 5 epochs of 10,003 rows. "
         "Without --full an epoch of 1,280 rows is timed, and its training seconds are multiplied", "s", "banking", {"rows": 1280},
         {"epochs": 1}, kind="time_to_accuracy", tunings=(*TRAINING, "grouped, bf16"), quick={"rows": 160, "test_rows": 100}, floors={"default": 4.5}),
    Case("head_last_layer", "head and last layer trained, 5 epochs of 1,280 rows, all-MiniLM-L6-v2 on banking77, batch 32, fp32", "s", "banking",
         {"rows": 1280, "test_rows": 1000}, HEAD_LAYER, quick={**QUICK, "test_rows": 100}, quick_job=SHORT, to_the_end=True, floors={"default": 8}),
    Case("frozen_4_of_6", "4 of 6 layers and the embeddings frozen, 5 epochs of 1,280 rows, all-MiniLM-L6-v2 on banking77, batch 32, fp32", "s", "banking",
         {"rows": 1280, "test_rows": 1000}, {"trained": 2, "epochs": 5, "rate": 5e-4}, quick={**QUICK, "test_rows": 100}, quick_job=SHORT, to_the_end=True, floors={"default": 3.5}),
    Case("folds_head_last", "5-fold cross-validation, head and last layer trained, 5 epochs of 512 rows, all-MiniLM-L6-v2 on banking77, batch 32, fp32", "s",
         "banking", {"rows": 512}, {**HEAD_LAYER, "folds": 5}, kind="folds", quick=QUICK, quick_job=TWO_FOLDS, to_the_end=True, floors={"default": 15, "folds_over_one": 3}),
    Case("folds_head", "5-fold cross-validation, head (pooler and classifier) trained, 10 epochs of 320 rows, all-MiniLM-L6-v2 on banking77, batch 32, fp32; scikit-learn's logistic "
         "regression on embeddings computed once is the third peer", "s", "banking", {"rows": 320}, {"trained": "head", "epochs": 10, "rate": 1e-2, "folds": 5},
         kind="folds", quick=QUICK, quick_job=TWO_FOLDS, to_the_end=True, floors={"default": 40, "sklearn": 2}),
    *with_bf16("lora_bert_base", LORA_ABOUT, {"default": 1.5, "memory": 0.5}, {"default": 3, "memory": 0.5},
               unit="tokens/s", material="abstracts", settings={"rows": 384, "adapter": True}, quick={"rows": 32}, job={"rate": 5e-4}),
    *with_bf16("causal_full", CAUSAL_ABOUT, {"default": 1.5}, {"default": 3}, unit="tokens/s", material="answers",
               settings={"rows": 64, "batch": 16, "max_length": 256}, quick=FEW, quick_job={"batch": 4}, job={"task": "sft", "batch": 16, "max_length": 256}, packed=True, tunings=LANGUAGE, compile=True),
    *with_bf16("causal_lora", f"LoRA (r 8, c_attn) of the {CAUSAL_ABOUT}", {"default": 1.5}, {"default": 3}, unit="tokens/s", material="answers",
               settings={"rows": 64, "batch": 16, "max_length": 256, "adapter": True}, quick=FEW, quick_job={"batch": 4},
               job={"task": "sft", "batch": 16, "max_length": 256, "rate": 5e-4}, packed=True, tunings=LANGUAGE),
    *with_bf16("evaluation_10k", "prediction of 10,000 labelled rows, all-MiniLM-L6-v2 on banking77, batches of 64", {"default": 3.5}, {"default": 6}, unit="rows/s",
               material="banking", settings={"rows": 10000}, quick={"rows": 500}, job={"task": "evaluation", "batch": 64}, kind="evaluation", tunings=EVALUATION),
    Case("memory", f"peak memory of full fine-tuning, {MINILM}, fp32, 20 steps", "MiB", "banking", {"rows": 640}, {}, quick=QUICK, tunings=("grouped",),
         floors={"memory": 0.5}),
    Case("scaling_tokens", "cost is linear in real tokens, not in batch x longest", "", "lengths",
         {"files": {"even": [[512, 30]], "mixed": [[480, 15], [32, 255]], "twice": [[1024, 30]]}}, {"max_length": 512}, kind="scaling_tokens",
         quick={"files": {"even": [[128, 30]], "mixed": [[120, 15], [8, 255]], "twice": [[256, 30]]}}),
    Case("scaling_prefix", "one more epoch and one more fold over a frozen prefix cost the trained part only", "", "banking", {"rows": 640}, HEAD_LAYER,
         kind="scaling_prefix", quick={"rows": 160}),
    Case("scaling_memory", "peak memory is flat in the size of the data", "", "lengths", {"files": {"small": [[4000, 12]], "large": [[64000, 12]]}},
         {"max_steps": 10}, kind="scaling_memory", quick={"files": {"small": [[500, 12]], "large": [[8000, 12]]}}),
    Case("scaling_stream", "a million rows stream through tokenising and one epoch of a small model with flat memory", "", "stream",
         {"files": {"small": 100000, "large": 1000000}}, {"batch": 64, "rate": 1e-3}, kind="scaling_memory", quick={"files": {"small": 5000, "large": 50000}}),
]}


def chosen(names):
    """Cases by name, or by the beginning of one (`full` for full_fp32 and full_bf16)."""
    if not names:
        return list(CASES.values())
    found = []
    for name in names:
        fitting = [CASES[name]] if name in CASES else [case for case in CASES.values() if case.name.startswith(name + "_")]
        if not fitting:
            raise SystemExit(f"no case {name}; bench/run.sh --list names them")
        found += [case for case in fitting if case not in found]
    return found
