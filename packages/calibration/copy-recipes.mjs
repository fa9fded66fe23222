// Puts the recipes and their texts beside the built code: they live at the root of the repository and ship with the package.
import { cpSync } from 'node:fs';

cpSync('../../calibration', 'dist/calibration', { recursive: true });
