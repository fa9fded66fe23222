// A thread of the CPU device's crew, on Node.
import { parentPort, workerData } from 'node:worker_threads';
import { CrewMember, type Seat } from './crew.ts';

const member = new CrewMember(workerData as Seat);
parentPort!.postMessage('ready');
member.serve();
