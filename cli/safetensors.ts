/** The safetensors format, where commands look for it. It lives with the tensors that it holds. */
export { openSafetensors, readSafetensors, SafetensorsFile, SafetensorsWriter } from "../runtime-bridge/index.ts";
