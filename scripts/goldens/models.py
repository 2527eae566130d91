"""Goldens of the models module: tiny random checkpoints, one packed batch each, and what Transformers computes from it.

Each folder holds config.json and model.safetensors as save_pretrained writes them, and expected.safetensors: the batch as a
packed stream (ids, positions, segments, lengths), logits, hidden.N [T, H], pooled (base models), and grad.NAME of
loss = Σ logits · direction.
"""

import torch
import transformers as hf
from safetensors.torch import save_file

hf.logging.set_verbosity_error()

LENGTHS = (9, 5, 1)
BERT = dict(vocab_size=32, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=20, max_position_embeddings=12)
DISTILBERT = dict(vocab_size=32, dim=16, n_layers=2, n_heads=4, hidden_dim=20, max_position_embeddings=12)
LABELS = dict(id2label={0: "calm", 1: "brisk", 2: "über"}, label2id={"calm": 0, "brisk": 1, "über": 2})

CASES = {
    "bert_base": (hf.BertModel, hf.BertConfig(**BERT)),
    "bert_sequence": (hf.BertForSequenceClassification, hf.BertConfig(**BERT, **LABELS)),
    "bert_masked_lm": (hf.BertForMaskedLM, hf.BertConfig(**BERT, hidden_act="gelu_new", layer_norm_eps=1e-5)),
    "bert_untied_lm": (hf.BertForMaskedLM, hf.BertConfig(**BERT, tie_word_embeddings=False)),
    "bert_span": (hf.BertForQuestionAnswering, hf.BertConfig(**BERT)),
    "distilbert_sequence": (hf.DistilBertForSequenceClassification, hf.DistilBertConfig(**DISTILBERT, **LABELS)),
    "distilbert_masked_lm": (hf.DistilBertForMaskedLM, hf.DistilBertConfig(**DISTILBERT)),
    "distilbert_token": (hf.DistilBertForTokenClassification, hf.DistilBertConfig(**DISTILBERT, **LABELS, sinusoidal_pos_embds=True)),
    "electra_sequence": (hf.ElectraForSequenceClassification, hf.ElectraConfig(**BERT, **LABELS, embedding_size=8)),
    "electra_masked_lm": (hf.ElectraForMaskedLM, hf.ElectraConfig(**BERT, embedding_size=8)),
}


def perturbed(model, generator):
    """Nothing is trivially 0 or 1, so that a forgotten bias or norm shows."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model.eval()


def padded_batch(config, generator):
    rows, longest = len(LENGTHS), max(LENGTHS)
    mask = torch.tensor([[int(s < n) for s in range(longest)] for n in LENGTHS])
    ids = torch.randint(1, config.vocab_size, (rows, longest), generator=generator) * mask
    segments = (torch.arange(longest) >= 4).long().expand(rows, longest) * mask
    return mask, ids, segments


def write_case(folder, model_class, config):
    generator = torch.Generator().manual_seed(7)
    torch.manual_seed(7)
    model = perturbed(model_class(config), generator)
    model.save_pretrained(folder)
    mask, ids, segments = padded_batch(config, generator)
    live = mask.bool()
    inputs = dict(input_ids=ids, attention_mask=mask)
    if getattr(config, "type_vocab_size", 0):
        inputs["token_type_ids"] = segments
    output = model(**inputs, output_hidden_states=True)
    if "start_logits" in output:
        logits = torch.stack([output.start_logits, output.end_logits], -1)[live]
    elif "logits" in output:
        logits = output.logits if output.logits.dim() == 2 else output.logits[live]
    else:
        logits = output.last_hidden_state[live]
    direction = torch.randn(logits.shape, generator=generator)
    (logits * direction).sum().backward()
    expected = dict(ids=ids[live], positions=torch.arange(mask.shape[1]).expand_as(ids)[live], segments=segments[live],
                    lengths=torch.tensor(LENGTHS), direction=direction, logits=logits)
    if "pooler_output" in output:
        expected["pooled"] = output.pooler_output
    for i, hidden in enumerate(output.hidden_states):
        expected[f"hidden.{i}"] = hidden[live]
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            expected[f"grad.{name}"] = parameter.grad
    save_file({name: value.detach().contiguous() for name, value in expected.items()}, folder / "expected.safetensors")
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors makes files that only their owner can read


def write(folder):
    for name, (model_class, config) in CASES.items():
        write_case(folder / name, model_class, config)
