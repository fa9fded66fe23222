// The page's own code: a model is loaded above, and talked to below.
import { setUpLoading } from './loading.ts';
import { setUpTalk } from './talk.ts';

setUpLoading(setUpTalk());
