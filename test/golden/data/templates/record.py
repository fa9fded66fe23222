"""What transformers renders: small templates that show the language, and hashes of whole conversations.

    python record.py FOLDER_OF_TEMPLATES
"""
import datetime, hashlib, json, pathlib, sys
import transformers.utils.chat_template_utils as chat


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 11, 24)


chat.datetime = Clock
values = {"x": 3, "l": [1, 2, 3], "d": {"a": 1, "b": 2}, "f": [1.5, 1e-7, 123456.789, 1e22]}


def render(template, **variables):
    """The text, or why there is none: a template's own words count, Python's do not."""
    try:
        return {"text": template.render(**variables)}
    except Exception as error:
        return {"refused": str(error) if type(error).__name__ == "TemplateError" else True}


def whole(template, case):
    extra = dict(case["extra"])
    return render(
        template,
        messages=case["messages"],
        tools=case["tools"],
        documents=extra.pop("documents", None),
        add_generation_prompt=case["add_generation_prompt"],
        bos_token="<BOS>",
        eos_token="<EOS>",
        **extra,
    )


def short_hash(result):
    if "refused" in result and result["refused"] is True:
        return "refused"
    said = result["text"] if "text" in result else "refused: " + result["refused"]
    return hashlib.sha256(said.encode()).hexdigest()[:8]


language = json.load(open("language.json"))
for one in language:
    template = one["template"]
    one.clear()
    one["template"] = template
    try:
        one.update(render(chat._compile_jinja_template(template), **values))
    except Exception:
        one["refused"] = True
with open("language.json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in language) + "\n]\n")

conversations = json.load(open("conversations.json"))
hashes = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jinja")):
    template = chat._compile_jinja_template(path.read_text())
    hashes[path.stem] = " ".join(short_hash(whole(template, json.loads(json.dumps(case)))) for case in conversations.values())
with open("hashes.json", "w") as file:
    file.write(json.dumps(hashes, indent=1) + "\n")
