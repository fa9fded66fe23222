# Records what PEFT makes of adapters with known numbers: see README.md.
import json, hashlib, sys, os, subprocess, shutil
import numpy as np, torch, transformers
from pathlib import Path
from transformers import AutoModelForCausalLM
from peft import LoraConfig, get_peft_model
import peft
torch.set_num_threads(1)
ROOT, SHARED, OUT = sys.argv[1] + '/', sys.argv[2] + '/arch/', Path(sys.argv[3])
def numbers(shape, seed):
    n=int(np.prod(shape)); i=np.arange(n,dtype=np.int64)
    v=((i*7919 + seed*104729 + (i//13)*31) % 2003 - 1001).astype(np.float64)/4004
    return torch.tensor(v.astype(np.float32).reshape(shape))
LLAMA=['q_proj','k_proj','v_proj','o_proj','gate_proj','up_proj','down_proj']
cases={
 'tiny-llama': dict(model=ROOT+'tiny-llama', cfg=dict(r=4,lora_alpha=8,target_modules=LLAMA)),
 'tiny-llama-root': dict(model=ROOT+'tiny-llama', cfg=dict(r=3,lora_alpha=5,use_rslora=True,target_modules=['q_proj','v_proj'])),
 'tiny-llama-patterns': dict(model=ROOT+'tiny-llama', cfg=dict(r=4,lora_alpha=8,target_modules=['q_proj','k_proj','up_proj'],rank_pattern={'layers.0.self_attn.q_proj':2,'k_proj':6},alpha_pattern={'up_proj':3,'layers.1.self_attn.q_proj':1})),
 'qwen2': dict(model=ROOT+'arch/qwen2', cfg=dict(r=2,lora_alpha=4,target_modules=['q_proj','down_proj','embed_tokens'])),
 'qwen3-head': dict(model=ROOT+'arch/qwen3', cfg=dict(r=2,lora_alpha=4,target_modules=['k_proj','lm_head'])),
 'phi3-long': dict(model=ROOT+'arch/phi3-long', cfg=dict(r=2,lora_alpha=4,target_modules=['qkv_proj','gate_up_proj','o_proj'])),
 'glm4': dict(model=ROOT+'arch/glm4', cfg=dict(r=2,lora_alpha=4,target_modules=['q_proj','k_proj','gate_up_proj','o_proj'])),
 'gptneox': dict(model=ROOT+'arch/gptneox', cfg=dict(r=2,lora_alpha=4,target_modules=['query_key_value','dense_h_to_4h'])),
 'gpt2': dict(model=SHARED+'gpt2', cfg=dict(r=2,lora_alpha=4,target_modules=['c_attn','c_proj'])),
 'qwen35': dict(model=ROOT+'arch/qwen35', cfg=dict(r=2,lora_alpha=4,target_modules=['in_proj_qkv','in_proj_z','out_proj','q_proj'])),
 'falcon-h1': dict(model=ROOT+'arch/falcon-h1', cfg=dict(r=2,lora_alpha=4,target_modules=['in_proj','k_proj','down_proj'])),
 # transformers 4.57.6: later ones keep the experts of a block as one parameter
 'qwen2moe-experts': dict(model=ROOT+'arch/qwen2moe', cfg=dict(r=2,lora_alpha=4,target_modules=['gate_proj','down_proj','q_proj'])),
}
if transformers.__version__ >= '5': cases.pop('qwen2moe-experts')
else: cases = {'qwen2moe-experts': cases['qwen2moe-experts']}
res={}
for name,c in cases.items():
    try:
        m=AutoModelForCausalLM.from_pretrained(c['model'],dtype=torch.float32,attn_implementation='eager')
    except Exception as e:
        print(name,'LOAD',repr(e)[:200]); continue
    m.eval()
    V=m.get_input_embeddings().weight.shape[0]
    ids=[(37*i+11)%V for i in range(12)]
    base=m(input_ids=torch.tensor([ids])).logits[0].detach()
    try:
        p=get_peft_model(m,LoraConfig(task_type='CAUSAL_LM',lora_dropout=0.0,**c['cfg']))
    except Exception as e:
        print(name,'PEFT',repr(e)[:300]); continue
    p.eval()
    out=OUT/name; shutil.rmtree(out,ignore_errors=True)
    state=peft.get_peft_model_state_dict(p)
    names=[n for n in sorted(state) if 'lora_' in n]
    params=dict(p.named_parameters())
    with torch.no_grad():
        for i,n in enumerate(names):
            key=n.replace('.lora_A.weight','.lora_A.default.weight').replace('.lora_B.weight','.lora_B.default.weight')
            if n.endswith('lora_embedding_A') or n.endswith('lora_embedding_B'): key=n+'.default'
            params[key].copy_(numbers(tuple(params[key].shape),i))
    logits=p(input_ids=torch.tensor([ids])).logits[0].detach()
    p.save_pretrained(out)
    from safetensors.torch import load_file
    saved=load_file(out/'adapter_model.safetensors')
    extra=[n for n in saved if 'lora_' not in n]
    if extra:
        print(name,'extra',extra)
        from safetensors.torch import save_file
        save_file({k:v for k,v in saved.items() if 'lora_' in k},out/'adapter_model.safetensors')
    merged=p.merge_and_unload()
    ml=merged(input_ids=torch.tensor([ids])).logits[0].detach()
    pick=list(range(0,V,max(1,V//12)))[:12]
    cfg=json.load(open(out/'adapter_config.json'))
    keep={k:v for k,v in cfg.items() if k in ('peft_type','r','lora_alpha','target_modules','use_rslora','rank_pattern','alpha_pattern','fan_in_fan_out','bias','task_type')}
    keep['target_modules']=sorted(keep['target_modules'])
    res[name]=dict(model=c['model'].replace(ROOT, '').replace(SHARED, 'arch/'),config=keep,
        tensors=[[n,list(saved[n].shape)] for n in names], ids=ids, pick=pick,
        logits=[[round(float(logits[t][j]),6) for j in pick] for t in (0,5,11)],
        base=[[round(float(base[t][j]),6) for j in pick] for t in (0,5,11)])
    print(name,'ok; adapter moves logits by',float((logits-base).abs().max()),'merge differs by',float((ml-logits).abs().max()), 'V',V)
json.dump(res,open(OUT/'peft.json','w'))
