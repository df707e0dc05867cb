/*
 * Random runs, each by its seed: users on several machines do whatever a client can do, while
 * requests, answers, frames and sockets are lost, late, repeated and refused. Once the network is
 * well and a silent minute has passed, each client holds what the server holds. SEED=n repeats one
 * run, RUNS=n runs so many.
 */
import test from "node:test";
import { Course } from "./course.js";

const RUNS = Number(process.env.RUNS ?? 300);
const ONE = process.env.SEED && Number(process.env.SEED);

test(`clients hold what the server holds after ${ONE ? 1 : RUNS} random runs`, async () => {
  for (let seed = ONE || 1; seed <= (ONE || RUNS); seed++) {
    try {
      await new Course(seed).run();
    } catch (error) {
      error.message = `SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
});
