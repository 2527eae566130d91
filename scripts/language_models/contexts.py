"""Documents in which labelled examples stand one after another, so that a model learns to take a label from the context: the form of
few-shot prompts."""

FORMS = (("Text: ", "\nLabel: ", "\n\n"), ("Input: ", "\nAnswer: ", "\n\n"), ("", " => ", "\n"))
LONGEST = 300  # characters of an example's text


def contexts(rows, rng, count):
    """`count` documents from (set, text, label) rows: 4 to 12 examples of one set and of 2 to 5 of its labels, in one form. A third of
    the documents call the labels A, B, C, …, so that only the context tells what they mean."""
    sets = {}
    for name, text, label in rows:
        text = " ".join(text.split())
        if len(text) <= LONGEST:
            sets.setdefault(name, {}).setdefault(str(label).replace("_", " "), []).append(text)
    sets = {name: labels for name, labels in sets.items() if len(labels) > 1}
    documents = []
    while sets and len(documents) < count:
        labels = sets[rng.choice(list(sets))]
        chosen = rng.sample(list(labels), min(len(labels), rng.randrange(2, 6)))
        spoken = dict(zip(chosen, rng.sample("ABCDE", len(chosen)))) if rng.random() < 1 / 3 else {label: label for label in chosen}
        before, between, after = rng.choice(FORMS)
        examples = []
        for _ in range(rng.randrange(4, 13)):
            label = rng.choice(chosen)
            examples.append(before + rng.choice(labels[label]) + between + spoken[label])
        documents.append(after.join(examples))
    return documents
