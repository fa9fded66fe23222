"""Records what transformers' beam search makes of a model: sequences and scores.

usage: make-beams-golden.py MODEL CHAT_JSON OUT_JSON
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM

model_path, chat_path, out_path = sys.argv[1:]
torch.set_num_threads(1)
model = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32, attn_implementation="eager")
prompts = [chat["ids"] for chat in json.load(open(chat_path))["chat_template"]]
prose = prompts[0][:3]

# prompt, beams, length penalty, early stopping, new tokens, tokens that end a sequence
asked = [
    (prompts[0], 1, 1.0, False, 12, [3]),
    (prompts[0], 2, 1.0, False, 12, [3]),
    (prompts[0], 4, 1.0, False, 24, [3]),
    (prompts[1], 3, 1.0, False, 16, [3]),
    (prompts[1], 4, 0.0, "never", 20, [3, 17]),
    (prompts[1], 4, 2.0, True, 20, [3, 17]),
    (prompts[1], 4, 1.0, False, 20, [3, 17]),
    (prompts[2], 5, -1.0, False, 20, [3, 17, 202]),
    (prompts[2], 5, 1.0, "never", 20, [3, 17, 202]),
    (prompts[3], 8, 0.5, True, 16, [3, 4]),
    (prose, 6, 1.0, False, 10, []),
    (prose, 4, 1.5, "never", 30, [17]),
    (prompts[3], 3, 2.0, True, 24, [15, 17, 4]),
    (prompts[3], 3, 2.0, False, 24, [15, 17, 4]),
    (prompts[3], 3, 2.0, "never", 24, [15, 17, 4]),
    (prompts[1][:30], 3, 2.0, True, 24, [15, 17, 4]),
    (prompts[1][:30], 3, 2.0, False, 24, [15, 17, 4]),
    (prompts[1][:30], 3, -1.0, False, 24, [15, 17, 4]),
    (prompts[1], 3, 1.2, "never", 24, [4, 15, 17]),
]

cases = []
for prompt, beams, length_penalty, early_stopping, new_tokens, stop in asked:
    out = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        num_beams=beams,
        num_return_sequences=beams,
        do_sample=False,
        length_penalty=length_penalty,
        early_stopping=early_stopping,
        max_new_tokens=new_tokens,
        eos_token_id=stop or None,
        pad_token_id=4095,
        return_dict_in_generate=True,
        output_scores=True,
    )
    if beams == 1:  # transformers searches greedily then and reports no score
        steps = model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
        out.sequences_scores = steps.sum(-1) / steps.shape[-1] ** length_penalty
    replies = []
    for ids, score in zip(out.sequences.tolist(), out.sequences_scores.tolist()):
        reply = ids[len(prompt) :]
        ends = [i for i, token in enumerate(reply) if token in stop]
        if ends:
            reply = reply[: ends[0] + 1]
        while reply and reply[-1] == 4095:
            reply.pop()
        replies.append({"tokens": reply, "score": round(score, 6)})
    cases.append(
        {
            "prompt": prompt,
            "width": beams,
            "lengthPenalty": length_penalty,
            "earlyStopping": early_stopping,
            "maxTokens": new_tokens,
            "stopTokens": stop,
            "replies": replies,
        }
    )

with open(out_path, "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
