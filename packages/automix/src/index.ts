// Types per tensor chosen by measured sensitivity.
export {};
