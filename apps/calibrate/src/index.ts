export { calibrateCommand } from './calibrate-command.ts';
