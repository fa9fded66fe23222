"""Conversations of every kind that templates meet."""
import json
P=lambda props,req: {"type":"object","properties":props,"required":req}
weather={"type":"function","function":{"name":"get_weather","description":"Gets the weather.","parameters":P({"city":{"type":"string","description":"A city."},"days":{"type":"integer","description":"How many days.","default":3},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},["city"])}}
search={"type":"function","function":{"name":"search","description":"Sucht “überall” <now>.","parameters":P({"q":{"type":"string","description":"What."},"filter":{"type":"object","description":"Nested.","properties":{"tags":{"type":"array","items":{"type":"string"},"description":"Tags"},"deep":{"type":"object","properties":{"x":{"type":"number","description":"x"}}}}},"any":{"anyOf":[{"type":"string"},{"type":"null"}],"description":"u"},"n":{"type":["integer","null"],"description":"maybe"}},["q"])}}
noargs={"type":"function","function":{"name":"now","description":"The time.","parameters":P({},[])}}
bare={"type":"function","function":{"name":"bare","parameters":P({"a":{"type":"boolean"}},[])}}
strict={"type":"function","function":{"name":"strict_one","description":"S.","strict":True,"parameters":{"type":"object","properties":{"l":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string"}},"required":["k"]}}},"required":["l"],"additionalProperties":False}}}
U=lambda c:{"role":"user","content":c}
S=lambda c:{"role":"system","content":c}
A=lambda c,**k:{"role":"assistant","content":c,**k}
def call(name,args,id="abcdefgh1",text=False):
    return {"id":id,"type":"function","function":{"name":name,"arguments":json.dumps(args,ensure_ascii=False) if text else args}}
T=lambda c,name="get_weather",id="abcdefgh1":{"role":"tool","name":name,"tool_call_id":id,"content":c}
args1={"city":"Zürich","days":3,"unit":"celsius"}
args2={"q":"a \"b\" 'c'\n<d> & é 😀","filter":{"tags":["x","y"],"deep":{"x":1.5}},"any":None,"n":-7,"flag":True,"off":False,"list":[1,2.5,"three",{"k":[]}],"empty":{},"big":1e21,"small":1e-7}
parts=lambda *a:[{"type":"text","text":x} for x in a]
C={}
def case(name,messages,tools=None,**extra):
    gp=extra.pop("gp",True)
    C[name]={"messages":messages,"tools":tools,"add_generation_prompt":gp,"extra":extra}
case("user",[U("Hi")])
case("user_nogp",[U("Hi")],gp=False)
case("sys_user",[S("Be brief."),U("Hi")])
case("ws",[S("  Be brief.\n\n"),U("\n  Hi there \t\n")])
case("turns",[S("S"),U("A"),A("B"),U("C"),A("D"),U("E")])
case("turns_end_assistant",[U("A"),A("B")],gp=False)
case("assistant_gp",[U("A"),A("B")])
case("unicode",[U("Grüße 😀 漢字 \u2028 \u0085 x\u00a0"),A("naïve ‘q’ \\ / \x7f"),U("<b>&amp;</b> {{ x }} {% y %}")])
case("system_only",[S("only")])
case("empty",[])
case("empty_content",[U(""),A(""),U("x")])
case("none_content",[U("x"),A(None),U("y")])
case("list_content",[S("s"),U(parts("part one","part two")),A(parts("reply")),U(parts("end"))])
case("sys_list",[{"role":"system","content":parts("sys parts")},U("x")])
case("developer",[{"role":"developer","content":"dev"},U("x")])
case("two_system",[S("a"),S("b"),U("x")])
case("late_system",[U("x"),S("b"),U("y")])
case("user_user",[U("a"),U("b")])
case("unknown_role",[{"role":"robot","content":"x"},U("y")])
case("image",[U([{"type":"image","image":"x.png"},{"type":"text","text":"what?"}])])
case("image_url",[U([{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"http://x/y.png"}}])])
for n,t in {"weather":[weather],"several":[weather,search,noargs],"bare":[bare],"strict":[strict],"all":[search,strict,bare,noargs],"empty":[]}.items():
    case("tools_"+n,[U("Hi")],t)
    case("tools_sys_"+n,[S("Sys."),U("Hi")],t)
for txt in (False,True):
    s="_text" if txt else ""
    case("call"+s,[U("Q"),A("",tool_calls=[call("get_weather",args1,text=txt)])],[weather],gp=False)
    case("call_none"+s,[U("Q"),A(None,tool_calls=[call("get_weather",args1,text=txt)])],[weather],gp=False)
    case("call_content"+s,[U("Q"),A("Let me see.",tool_calls=[call("get_weather",args1,text=txt)])],[weather],gp=False)
    case("call_missing_content"+s,[U("Q"),{"role":"assistant","tool_calls":[call("get_weather",args1,text=txt)]}],[weather],gp=False)
    case("call_result"+s,[S("S"),U("Q"),A("",tool_calls=[call("get_weather",args1,text=txt)]),T("sunny")],[weather])
    case("call_result_json"+s,[U("Q"),A("",tool_calls=[call("get_weather",args1,text=txt)]),T('{"temp": 21.5, "é": [1]}')],[weather])
    case("call_answer"+s,[U("Q"),A("",tool_calls=[call("get_weather",args1,text=txt)]),T("sunny"),A("It is sunny."),U("Thanks")],[weather])
    case("two_calls"+s,[U("Q"),A("",tool_calls=[call("get_weather",args1,text=txt),call("search",args2,id="abcdefgh2",text=txt)]),T("sunny"),T("found","search","abcdefgh2"),A("Done.")],[weather,search],gp=False)
    case("two_calls_open"+s,[U("Q"),A("x",tool_calls=[call("search",args2,text=txt),call("now",{},id="abcdefgh2",text=txt)]),T("a","search"),T("b","now","abcdefgh2")],[search,noargs])
    case("chain"+s,[U("Q"),A("",tool_calls=[call("now",{},text=txt)]),T("12","now"),A("",tool_calls=[call("get_weather",args1,id="abcdefgh2",text=txt)]),T("rain","get_weather","abcdefgh2")],[noargs,weather])
    case("reason_call"+s,[U("Q"),A("",reasoning_content="Hm. Weather.",tool_calls=[call("get_weather",args1,text=txt)]),T("sunny")],[weather])
    case("call_no_tools"+s,[U("Q"),A("",tool_calls=[call("get_weather",args1,text=txt)]),T("sunny")])
    case("call_noname"+s,[U("Q"),A("",tool_calls=[{"id":"abcdefgh1","type":"function","function":{"name":"now","arguments":"{}" if txt else {}}}]),{"role":"tool","tool_call_id":"abcdefgh1","content":"ok"}],[noargs])
    case("call_noid"+s,[U("Q"),A("",tool_calls=[{"type":"function","function":{"name":"now","arguments":"{}" if txt else {}}}]),{"role":"tool","content":"ok"}],[noargs])
    case("call_flat"+s,[U("Q"),A("",tool_calls=[{"name":"now","arguments":"{}" if txt else {"a":1}}]),{"role":"tool","content":"ok"}],[noargs])
case("result_list",[U("Q"),A("",tool_calls=[call("get_weather",args1)]),T(parts("sunny","warm"))],[weather])
case("result_none",[U("Q"),A("",tool_calls=[call("get_weather",args1)]),T(None)],[weather])
case("result_dict",[U("Q"),A("",tool_calls=[call("get_weather",args1)]),T({"t":1,"ok":True})],[weather])
case("orphan_result",[U("Q"),T("x")],[weather])
for f in ("reasoning_content","reasoning","thinking","thought"):
    case("reason_"+f,[U("A"),A("B",**{f:"Because.\nYes."}),U("C"),A("D",**{f:"Again."})],gp=False)
    case("reason_tools_"+f,[U("A"),A("",tool_calls=[call("now",{})],**{f:"Because."}),T("ok","now")],[noargs])
case("think_inline",[U("A"),A("<think>\nHm.\n</think>\n\nB"),U("C")])
case("think_inline_last",[U("A"),A("<think>\nHm.\n</think>\n\nB")],gp=False)
case("think_part",[U("A"),A([{"type":"thinking","thinking":"Hm."},{"type":"text","text":"B"}]),U("C")])
case("think_markers",[U("A"),A("[THINK]Hm.[/THINK]B"),U("C /no_think")])
for v in (True,False):
    case(f"enable_thinking_{v}",[S("S"),U("A")],enable_thinking=v)
    case(f"enable_thinking_{v}_tools",[U("A"),A("B",reasoning_content="r"),U("C"),A("",tool_calls=[call("now",{})]),T("ok","now")],[noargs],enable_thinking=v)
    case(f"thinking_{v}",[S("S"),U("A")],thinking=v)
    case(f"thinking_{v}_hist",[U("A"),A("B",reasoning_content="r"),U("C")],thinking=v,keep_past_thinking=True)
case("thinking_mode",[U("A")],thinking_mode="disabled")
case("thinking_mode_chat",[U("A")],thinking_mode="chat")
for e in ("none","minimal","low","medium","high","max"):
    case("effort_"+e,[U("A")],reasoning_effort=e)
for b in (0,512,1024,4096,-1,77):
    case(f"budget_{b}",[U("A")],thinking_budget=b)
case("kwargs",[U("A")],[weather],builtin_tools=["wolfram_alpha","code_interpreter"],tools_in_user_message=False,date_string="26 Jul 2024",custom_tools=None,model_identity="You are X.")
case("documents",[U("A")],documents=[{"title":"T","text":"Body of doc é","doc_id":"1"},{"title":"U","text":"Two","id":7}])
case("documents_tools",[S("s"),U("A")],[weather],documents=[{"title":"T","text":"Body"}])
case("citations",[U("A")],documents=[{"title":"T","text":"Body"}],citation_mode="fast",safety_mode="STRICT",response_format={"type":"json_object"})
case("name_field",[{"role":"user","name":"Bob","content":"x"}])
case("tool_plan",[U("A"),{"role":"assistant","content":"","tool_plan":"I will.","tool_calls":[call("get_weather",args1)]},T("sunny")],[weather])
case("numbers",[U("x"),A("",tool_calls=[call("search",{"q":"s","f":0.1,"g":100.5,"h":1e22,"i":1e15+.5,"j":1234567890123456,"k":-0.5,"l":1e-5,"m":0.0001})])],[search],gp=False)
case("strings",[U("x"),A("",tool_calls=[call("search",{"q":"line\n\ttab \\ \" ' \u2028 \x01 é 😀","w":"  spaced  ","t":"True","n":"12"})])],[search],gp=False)
json.dump(C, open("conversations.json", "w"), ensure_ascii=False, separators=(",", ":"))
