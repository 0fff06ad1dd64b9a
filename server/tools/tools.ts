// The programs inside the program: `stillframe verify ...` and `stillframe inspect ...`, chosen by the
// first argument. A configuration file of such a name is given as ./verify.
//
// They are loaded when they are called: they load the addon, which the configuration does not need.
import type { Tool } from './tool.js';

const TOOLS: Readonly<Record<string, () => Promise<Tool>>> = {
  verify: async () => (await import('./verify_command.js')).verifyTool,
  inspect: async () => (await import('./inspect_command.js')).inspectTool,
};

export function isTool(name: string | undefined): name is string {
  return name !== undefined && Object.hasOwn(TOOLS, name);
}

/** Runs a tool with its arguments (without its name). Returns the exit code. */
export async function runTool(name: string, args: readonly string[]): Promise<number> {
  const tool = await TOOLS[name]!();
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(tool.help);
    return 0;
  }
  const options = args.filter((arg) => arg.startsWith('-'));
  const paths = args.filter((arg) => !arg.startsWith('-'));
  const unknown = options.find((option) => !tool.options.includes(option));
  if (unknown !== undefined) return refuse(`'${name} ${unknown}': unknown option`, tool);
  if (paths.length !== 1) {
    return refuse(`'${name}': expected one path, found ${paths.length}`, tool);
  }
  return tool.run(paths[0]!, new Set(options));
}

function refuse(problem: string, tool: Tool): number {
  process.stderr.write(`stillframe: ${problem}. ${tool.help.split('\n')[0]}\n`);
  return 1;
}
