import json
from tokenizers import normalizers, pre_tokenizers
texts=["Héllo WÖRLD, it's ﬁne…","ΟΔΥΣΣΕΥΣ İstanbul ǅ","你好world 日本語のカナ 한국어","a\u0000b\ufffdc\u200bd\u00ade\u000bf\u000cg\u0085h\ti\nj\rk\u2028l\u00a0m\u3000n","x^2+y_2=~`$5 €6 £7 §8 ©9","naïve café Ångström ñ Ą́","👍🏽 emoji 🇩🇪 ok","\U0002b820\U0002b900\U0002b920\U0002f800 z","don't—stop–now «q» “r”","𝔘𝔫𝔦 Ⅷ ½ ²","क्षत्रिय हिन्दी","e\u0301 \u0301x","\ue000p\ud7ffq","ﷺ ß ẞ ŉ"]
out=[]
for lower,strip in ((True,None),(True,False),(False,None),(False,True)):
    n=normalizers.BertNormalizer(clean_text=True,handle_chinese_chars=True,strip_accents=strip,lowercase=lower); p=pre_tokenizers.BertPreTokenizer()
    out.append(dict(lowercase=lower,stripAccents=lower if strip is None else strip,words=[[w for w,_ in p.pre_tokenize_str(n.normalize_str(t))] for t in texts]))
json.dump(dict(texts=texts,cases=out),open('words.json','w'),ensure_ascii=True)
