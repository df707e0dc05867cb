/*
 * Random courses of events, each by its seed: users at several machines do whatever a client can do, while requests,
 * answers, frames and sockets are lost, late, repeated and refused. Once the network is well and a silent minute has
 * passed, each client holds what the server does. SEED=n runs one of them again, RUNS=n so many.
 */
import test from "node:test";
import { Course } from "./course.js";

const RUNS = Number(process.env.RUNS ?? 300);
const ONE = process.env.SEED && Number(process.env.SEED);

test(`${ONE ? 1 : RUNS} courses of events end with the truth`, async () => {
  for (let seed = ONE || 1; seed <= (ONE || RUNS); seed++) {
    try {
      await new Course(seed).run();
    } catch (error) {
      error.message = `SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
});
