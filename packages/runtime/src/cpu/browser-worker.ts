// A thread of the CPU device's crew, in a browser. Its one message is its seat.
import { CrewMember, type Seat } from './crew.ts';

addEventListener(
  'message',
  ({ data }: MessageEvent<Seat>) => {
    const member = new CrewMember(data);
    postMessage('ready');
    member.serve();
  },
  { once: true },
);
